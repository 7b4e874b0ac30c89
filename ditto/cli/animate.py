"""`ditto animate`: a portrait and a recording in, a video of that person speaking out."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.access_options import add_access_options
from ditto.cli.commands import Commands, add_command
from ditto.errors import InvalidInputError
from ditto.stages import EMOTIONS

_EXAMPLES = """\
Examples:
  ditto animate face.jpg speech.wav -o out.mp4
  ditto animate face.jpg speech.wav -o out.mp4 --view full --emotion happy --seed 7
  ditto animate 0f3c...e1 speech.wav -o out.mp4      an id that `ditto register` gave
  ditto animate face.jpg speech.wav -o out.mp4 --server gpu7:50051
  ditto animate face.jpg speech.wav -o out.mp4 --server a:50051,b:50051
  ditto animate face.jpg speech.wav -o out.mp4 --local --report
                                   a cluster for this one call, and a table of its numbers

PORTRAIT is JPEG, PNG or WebP with one face, seen from the front, or a short MP4 or WebM of it.
SPEECH is a WAV file, or anything else that FFmpeg decodes. The output is H.264 with the speech as
AAC.
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto animate` to the command line."""
    parser = add_command(
        commands,
        "animate",
        about="make a video of a portrait speaking",
        description="Makes a video of a portrait speaking a recording.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("portrait", metavar="PORTRAIT", help="picture file, or id of a registered avatar")
    add("speech", type=Path, metavar="SPEECH", help="recording of the speech")
    add("-o", "--output", type=Path, required=True, metavar="OUT.mp4", help="the video to write")
    add(
        "--server",
        metavar="HOST:PORT[,...]",
        help="gateway to call (default: 127.0.0.1:50051); of several, the call outlives its own",
    )
    add("--local", action="store_true", help="start a cluster for this call, and stop it after")
    add("--report", action="store_true", help="print a table of the measured numbers")
    add("--view", choices=("head", "full"), default="head", help="the head alone (default), or all")
    add("--emotion", choices=EMOTIONS, default="neutral", help="default: neutral")
    add("--seed", type=int, default=0, help="equal seeds give equal motion (default: 0)")
    add(
        "--pacing",
        choices=("fast", "realtime"),
        default="fast",
        help="as fast as it goes (default), or as a live call would",
    )
    add_access_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the call and write the file."""
    from ditto.cli.animate_run import animate

    if options.local and options.server:
        raise InvalidInputError("--local", "cannot be combined with --server")
    if options.output.suffix.lower() != ".mp4":
        renamed = options.output.with_suffix(".mp4").name
        raise InvalidInputError("--output", f"an MP4 is what is written: call it {renamed}")
    if not options.output.parent.is_dir():
        raise InvalidInputError("--output", f"there is no folder {options.output.parent}")
    animate(options)
    return 0
