"""`ditto doctor`: is this machine ready, and if not, what to do."""

from __future__ import annotations

import argparse

from ditto.cli.commands import Commands, add_command

_EXAMPLES = """\
Examples:
  ditto doctor                            this machine, and a cluster at 127.0.0.1:50051
  ditto doctor --server render7:50051     this machine, and that cluster

Each line is ok, warn (it works, with a limit that is named) or fail (with the mend). The exit code
is 1 when a line says fail.
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto doctor` to the command line."""
    parser = add_command(
        commands,
        "doctor",
        about="check this machine and say how to mend what is missing",
        description="Checks this machine and says how to mend what is missing.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        default="127.0.0.1:50051",
        help="cluster to ask (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one line a check; 1 when one failed."""
    from ditto.cli.checks import machine_checks

    checks = machine_checks(options.server)
    for check in checks:
        mend = f"\n{'':20}-> {check.mend}" if check.mend else ""
        print(f"{check.level:5} {check.subject:13} {check.found}{mend}")
    return 1 if any(check.level == "fail" for check in checks) else 0
