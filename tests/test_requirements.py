"""What gets installed: exact versions that fit pyproject.toml, and clear words when it fails."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.bootstrap import INCLUDES, explain

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(name: str) -> dict[str, str]:
    """Version by package of one file, without those that it includes."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line) for line in packages), packages
    return dict(line.split("==") for line in packages)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("runtime", PROJECT["dependencies"]),
        ("train", EXTRAS["train"]),
        ("dev", [line for extra in EXTRAS.keys() - {"gpu"} for line in EXTRAS[extra]]),
    ],
)
def test_every_dependency_is_pinned_within_its_range(name: str, wanted: list[str]) -> None:
    known = {k: v for part in INCLUDES[name] for k, v in pins(part).items()}
    for requirement in map(Requirement, wanted):
        package = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert requirement.specifier.contains(known[package]), requirement


def test_the_cpu_default_needs_no_torch_and_no_gpu_package() -> None:
    heavy = re.compile(r"torch|nvidia|cuda|triton|tensorrt|scipy|matplotlib")
    assert not [package for package in pins("runtime") if heavy.search(package)]


def test_the_python_of_debian_12_finds_its_packages_pinned_too() -> None:
    assert "async-timeout" in pins("runtime"), "redis needs it before Python 3.11.3"


def test_grpc_packages_have_one_version() -> None:
    versions = {version for package, version in pins("runtime").items() if "grpcio" in package}
    assert versions == {pins("dev")["grpcio-tools"]}


@pytest.mark.parametrize(
    ("complaint", "mend"),
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full; free about"),
        (
            "WARNING: Failed to establish a new connection: [Errno -3] Temporary failure\n"
            "ERROR: No matching distribution found for numpy==2.4.6",
            "the package index cannot be reached; check network",
        ),
        (
            "ERROR: Could not find a version\nERROR: No matching distribution found for x==1",
            "No matching distribution found for x==1",
        ),
        ("", "pip failed and said nothing"),
    ],
)
def test_what_pip_says_becomes_one_line(complaint: str, mend: str) -> None:
    said = explain(complaint.splitlines(keepends=True))
    assert mend in said
    assert "\n" not in said
