"""What `ditto up` shows of its processes."""

from __future__ import annotations

import io
import json
from pathlib import Path

from ditto.cli.log_lines import LogPrinter, readable


def test_a_json_line_becomes_a_sentence() -> None:
    entry = {"time": "t", "level": "info", "module": "renderer", "replica": "renderer-0"}
    entry |= {"logger": "x", "call_id": "", "message": "serving", "listen": "127.0.0.1:7000"}
    assert readable(json.dumps(entry)) == "info    serving listen=127.0.0.1:7000"


def test_other_lines_stay_as_they_are() -> None:
    for line in ("Traceback (most recent call last):", "", "12", '{"level": "info"}', "[1, 2]"):
        assert readable(line) == line


def test_lines_go_to_the_terminal_and_to_a_file_each(tmp_path: Path) -> None:
    terminal = io.StringIO()
    show = LogPrinter(terminal, tmp_path / "logs")
    show("renderer-0", "one")
    show("gateway", "two")
    show("renderer-0", "three")
    assert terminal.getvalue().splitlines()[0] == "renderer-0       one"
    assert (tmp_path / "logs" / "renderer-0.log").read_text() == "one\nthree\n"
