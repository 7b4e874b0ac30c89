"""Style, types, drift of the generated stubs and style of the protos; 1 when any complains."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("ditto", "services", "gateway", "scripts", "bench", "tests")


def commands() -> dict[str, tuple[list[str], Path]]:
    """Each check: its command line and the folder to run it in."""
    python = [sys.executable, "-m"]
    checked = [name for name in SOURCES if name != "tests"]
    buf = shutil.which("buf", path=str(Path(sys.executable).parent)) or "buf"
    return {
        "ruff check": ([*python, "ruff", "check", *SOURCES], ROOT),
        "ruff format": ([*python, "ruff", "format", "--check", *SOURCES], ROOT),
        "mypy": ([*python, "mypy", *checked], ROOT),
        "stubs": ([sys.executable, "scripts/generate_protos.py", "--check"], ROOT),
        "buf lint": ([buf, "lint"], ROOT / "protos"),
    }


def main() -> int:
    failed = []
    for name, (command, folder) in commands().items():
        print(f"{name} ...", flush=True)
        if subprocess.run(command, cwd=folder, check=False).returncode:  # noqa: S603
            failed.append(name)
    if failed:
        print(f"lint: {', '.join(failed)} complained", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
