"""The `ditto` command; one file here is one of its subcommands."""

from ditto.cli.command_line import main

__all__ = ["main"]
