"""Regenerate the stubs in `ditto/v1` from `protos/`; `--check` fails when they drifted."""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "protos"


def generate(out: Path) -> None:
    """Write `*_pb2.py`, `*_pb2.pyi` and `*_pb2_grpc.py` of every package under ``out``."""
    protos = sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    status = protoc.main(
        [
            "protoc",
            f"-I{SOURCE}",
            f"-I{well_known}",
            f"--python_out={out}",
            f"--pyi_out={out}",
            f"--grpc_python_out={out}",
            *protos,
        ]
    )
    if status != 0:
        sys.exit("protoc refused the protos; its messages are above")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    if not parser.parse_args().check:
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        made = [path for path in Path(folder).rglob("*") if path.is_file()]
        names = sorted(str(path.relative_to(folder)) for path in made)
        _, drifted, missing = filecmp.cmpfiles(folder, ROOT, names, shallow=False)
        committed = (ROOT / "ditto").glob("**/v1/*_pb2*.py*")
        stale = {str(path.relative_to(ROOT)) for path in committed} - set(names)
        if wrong := sorted({*drifted, *missing, *stale}):
            sys.exit(f"stubs drifted from protos/, run `make protos`: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
