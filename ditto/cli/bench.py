"""`ditto bench`: how many calls a cluster carries in real time, and what each of them costs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.commands import Commands, add_command

_EXAMPLES = """\
Examples:
  ditto bench face.jpg speech.wav                    a cluster here for the test: 1, 2, 4, ... calls
  ditto bench face.jpg speech.wav --server gpu7:50051 -o now.json --plot now.png
  ditto bench face.jpg speech.wav --calls 1,3 --set gateway.compute_margin_ms=50
  ditto bench --compare old.json new.json            two results side by side

Calls run in real time until a frame comes more than a frame's time late, then the sweep ends. The
first-frame delay is that of short calls which begin beside the others. CPU time, memory and busy
ratios are those of the processes of a cluster that runs here.
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto bench` to the command line."""
    parser = add_command(
        commands,
        "bench",
        about="measure how many calls a cluster carries",
        description="Raises the number of concurrent calls until a frame is late.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("portrait", nargs="?", type=Path, metavar="PORTRAIT", help="JPEG, PNG or WebP")
    add("speech", nargs="?", type=Path, metavar="SPEECH", help="WAV, or what FFmpeg decodes")
    add("--server", metavar="HOST:PORT", help="gateway to test (default: a cluster started here)")
    add("--calls", default="1,2,4,8,16", metavar="N,N,...", help="loads (default: 1,2,4,8,16)")
    add("--seconds", type=float, default=10.0, help="length of the calls of a load (default: 10)")
    add("--probes", type=int, default=12, help="timed first frames a load (default: 12)")
    add(
        "--limit",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="no load begins after that (default: 600)",
    )
    add("--all", action="store_true", help="run every load, even after one that was late")
    add("--view", choices=("head", "full"), default="head", help="the head alone (default), or all")
    add("-o", "--output", type=Path, metavar="FILE.json", help="write all figures")
    add("--plot", type=Path, metavar="FILE.png", help="draw them")
    add(
        "--set",
        action="append",
        default=[],
        metavar="PROCESS.KEY=VALUE",
        dest="settings",
        help="configuration of the cluster started here, as for `ditto up`",
    )
    add("--compare", nargs=2, type=Path, metavar=("OLD.json", "NEW.json"), help="show both results")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure or compare; 1 when not even the first load was on time."""
    from ditto.bench import command

    return command.compare(*options.compare) if options.compare else command.measure(options)
