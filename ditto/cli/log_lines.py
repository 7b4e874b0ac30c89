"""The output of a cluster's processes, one readable stream for a terminal and a file for each."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import TextIO

_HEADING = ("time", "level", "module", "replica", "logger", "message")


def readable(line: str) -> str:
    """A JSON log line as "level message key=value ..."; any other line as it is."""
    try:
        entry = json.loads(line)
        level, message = entry["level"], entry["message"]
    except (ValueError, TypeError, KeyError):
        return line
    fields = [f"{key}={value}" for key, value in entry.items() if key not in _HEADING and value]
    return " ".join([f"{level:7}", str(message), *fields])


class LogPrinter:
    """Prints lines behind the name of their process; with a folder, keeps each in NAME.log too."""

    def __init__(self, terminal: TextIO, folder: Path | None = None) -> None:
        self._terminal = terminal
        self._folder = folder
        self._lock = Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, line: str) -> None:
        """Take one line that the process `name` printed; called from several threads."""
        with self._lock:
            print(f"{name:16} {readable(line)}", file=self._terminal, flush=True)
            if self._folder is not None:
                with (self._folder / f"{name}.log").open("a") as file:
                    file.write(line + "\n")
