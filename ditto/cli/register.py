"""`ditto register`: a portrait once, so that calls name it by id and start sooner."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

_EXAMPLES = """\
Examples:
  ditto register face.jpg                        prints the id
  ditto animate $(ditto register face.jpg) speech.wav -o out.mp4

The server keeps the picture until it is deleted (DeleteAvatar). What will look worse than usual
with it is said on stderr; the id alone goes to stdout.
"""


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `ditto register` to the command line."""
    parser = commands.add_parser(
        "register",
        help="register a portrait and print its id",
        description="Registers a portrait with a gateway and prints its id.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("portrait", type=Path, metavar="PORTRAIT", help="JPEG, PNG or WebP file")
    parser.add_argument("--server", metavar="HOST:PORT", help="default: 127.0.0.1:50051")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Register it."""
    from ditto.cli.gateway import connect

    with connect(options.server) as client:
        avatar = client.register(options.portrait)
    for warning in avatar.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(avatar.avatar_id)
    return 0
