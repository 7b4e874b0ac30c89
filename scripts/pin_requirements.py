"""Rewrite `requirements/*.txt` from `pyproject.toml`: every package at one exact version.

Run it after changing a dependency, then `make test`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDES = ["setuptools>=77", "async-timeout>=4.0.3"]
"""What builds the project, and what redis asks for before Python 3.11.3, which Debian 12 lacks."""
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
SETS: dict[str, tuple[list[str], list[str]]] = {
    "runtime": ([], []),
    "train": (["train"], ["runtime"]),
    "gpu": (["gpu"], ["runtime"]),
    "dev": (sorted(EXTRAS.keys() - {"gpu"}), ["runtime", "train"]),
}
"""Each set: its extras, and the sets that its file includes."""
HEADS = {
    "runtime": "What a CPU cluster runs on: no torch, no GPU package.",
    "train": "What training needs besides; torch pins the CUDA packages that it wants itself.",
    "gpu": "What the images for CUDA hold besides; torch pins the CUDA packages itself.",
    "dev": "What the tests need besides; they cover the networks and their training too.",
}
_PINNED_BY_TORCH = re.compile(r"^(nvidia-|cuda-|triton)")


def main() -> None:
    pins: dict[str, dict[str, str]] = {}
    for name, (extras, included) in SETS.items():
        known = {package for other in included for package in pins[other]}
        found = resolve(extras).items()
        pins[name] = {package: version for package, version in found if package not in known}
        includes = "".join(f"-r {other}.txt\n" for other in included)
        lines = "".join(
            f"{package}=={version}\n" for package, version in sorted(pins[name].items())
        )
        text = f"# {HEADS[name]}\n# Made by `make pins`.\n{includes}{lines}"
        (ROOT / "requirements" / f"{name}.txt").write_text(text)


def resolve(extras: list[str]) -> dict[str, str]:
    """What pip would install for the project with `extras`: version by package name."""
    project = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    constraint = ["-c", str(ROOT / "requirements" / "runtime.txt")] if extras else []
    command = [sys.executable, "-m", "pip", "install", *options, *constraint, project, *BESIDES]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    packages = [item["metadata"] for item in json.loads(answer.stdout)["install"]]
    return {
        re.sub(r"[-_.]+", "-", package["name"]).lower(): package["version"].partition("+")[0]
        for package in packages
        if package["name"] != "ditto-cluster" and not _PINNED_BY_TORCH.match(package["name"])
    }


if __name__ == "__main__":
    main()
