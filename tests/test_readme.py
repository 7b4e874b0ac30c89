"""The examples of the documentation are run as they stand, against a real cluster.

A code block with ``<!-- tested -->`` on the line before it is run in a folder that has `examples/`;
the address 127.0.0.1:50051, and where `ditto animate` and `ditto register` call, are the cluster's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ditto.local_cluster import LocalCluster

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"^<!-- tested -->\n```(python|bash)\n(.*?)^```", re.M | re.S)


def examples() -> list[tuple[str, str, str]]:
    """(place, language, code) of every marked block."""
    found = []
    for path in [*ROOT.glob("README.md"), *sorted((ROOT / "docs").glob("**/*.md"))]:
        text = path.read_text("utf-8")
        for block in MARKED.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append((f"{path.name}:{line}", block[1], block[2]))
    return found


def test_the_readme_has_examples_to_run() -> None:
    languages = {language for place, language, _ in examples() if place.startswith("README")}
    assert languages == {"python", "bash"}


@pytest.mark.parametrize(
    ("language", "code"), [pytest.param(*block[1:], id=block[0]) for block in examples()]
)
def test_it_runs(cluster: LocalCluster, tmp_path: Path, language: str, code: str) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    here = code.replace("127.0.0.1:50051", cluster.address)
    here = re.sub(r"\bditto (animate|register)\b", rf"ditto \1 --server {cluster.address}", here)
    command = [sys.executable, "-c", here] if language == "python" else ["bash", "-euc", here]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
