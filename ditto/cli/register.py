"""`ditto register`: a portrait once, so that calls name it by id and start sooner."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ditto.cli.access_options import add_access_options
from ditto.cli.commands import Commands, add_command

if TYPE_CHECKING:
    from tqdm import tqdm

_EXAMPLES = """\
Examples:
  ditto register face.jpg                        prints the id
  ditto animate $(ditto register face.jpg) speech.wav -o out.mp4
  ditto register nodding.mp4                     a video of a few seconds, with a progress bar

PORTRAIT is JPEG, PNG or WebP, or an MP4 or WebM that shows one face throughout; a video is played
forward and backward for ever, and its picture and head movement stay as they are.

The server keeps the portrait until it is deleted (DeleteAvatar). What will look worse than usual
with it is said on stderr; the id alone goes to stdout.
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto register` to the command line."""
    parser = add_command(
        commands,
        "register",
        about="register a portrait and print its id",
        description="Registers a portrait with a gateway and prints its id.",
        examples=_EXAMPLES,
    )
    parser.add_argument("portrait", type=Path, metavar="PORTRAIT", help="picture or short video")
    parser.add_argument("--server", metavar="HOST:PORT", help="default: 127.0.0.1:50051")
    add_access_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Register it."""
    from tqdm import tqdm

    from ditto.cli.gateway import connect

    with connect(options) as client, tqdm(unit=" pictures", disable=None, leave=False) as bar:
        avatar = client.register(options.portrait, on_progress=partial(_show, bar))
    for warning in avatar.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(avatar.avatar_id)
    return 0


def _show(bar: tqdm[Any], done: int, frames: int) -> None:
    bar.total = frames or None
    bar.update(done - bar.n)
