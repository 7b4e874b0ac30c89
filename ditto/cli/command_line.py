"""Reads the command line, runs one subcommand, and turns every failure into one clear line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

from ditto import __version__
from ditto.cli import (
    animate,
    bench,
    data,
    doctor,
    fit_gaze,
    models,
    motion,
    ops,
    register,
    token,
    train,
    up,
)
from ditto.cli import eval as evaluation
from ditto.cli.failure import explain
from ditto.errors import InvalidInputError

_COMMANDS = (
    up, animate, register, models, doctor, bench, evaluation, data, train, ops, token, motion,
    fit_gaze,
)  # fmt: skip
_ABOUT = "Makes portraits talk: a portrait and speech in, video of that person speaking out."
_START = """\
Start here:
  ditto doctor                                  is this machine ready?
  ditto up                                      start a cluster here (needs a checkout)
  ditto animate face.jpg speech.wav -o out.mp4  in a second terminal

Every command has its own --help with examples.
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the `ditto` command; each subcommand adds its own part."""
    parser = argparse.ArgumentParser(
        prog="ditto",
        description=_ABOUT,
        epilog=_START,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ditto-cluster {__version__}")
    parser.add_argument(
        "--verbose", action="store_true", help="show the traceback of a failure, not one line"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `ditto` with `arguments` (default: those of the process).

    Gives 0, 1 (it failed), 2 (the command line or a file cannot be used) or 130 (Ctrl-C).
    """
    options = build_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("ditto: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # for example `ditto models list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.verbose:
            traceback.print_exc()
        print(f"ditto: {explain(error)}", file=sys.stderr)
        return 2 if isinstance(error, InvalidInputError) else 1


def _stop(number: int, _: FrameType | None) -> None:
    """Leave through every `with` block, so that nothing we started stays behind."""
    sys.exit(128 + number)
