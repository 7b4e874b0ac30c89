"""Style, types, drift of the generated stubs and style of the protos: what `make lint` runs."""

from __future__ import annotations

import subprocess

import pytest

from scripts.lint import commands

_LONG = ("mypy",)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in _LONG else []) for name in commands()],
)
def test_nothing_complains(name: str) -> None:
    command, folder = commands()[name]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
