"""How a subcommand, and an action of one, joins the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[Any]"
"""What subcommands, or the actions of one, are added to."""


def add_command(
    commands: Commands, name: str, about: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Add `ditto NAME`: `about` is its line in the list, the other two stand in its own help."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_actions(parser: argparse.ArgumentParser) -> Commands:
    """What the actions of a subcommand are added to; one of them must be given."""
    return parser.add_subparsers(metavar="ACTION", required=True)


def add_action(
    actions: Commands, name: str, run: Callable[[argparse.Namespace], int], about: str
) -> argparse.ArgumentParser:
    """Add an action, such as `ditto data build`, that `run` does."""
    parser: argparse.ArgumentParser = actions.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    return parser
