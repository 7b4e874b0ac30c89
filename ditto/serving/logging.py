"""Logs as JSON lines on stderr, each with the call that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_MOST_CHARACTERS = 64
_call_id: ContextVar[str] = ContextVar("call_id", default="")


def set_call_id(call_id: str) -> None:
    """Name the call that the present task works for, from here on; callers may have chosen it."""
    _call_id.set(call_id[:_MOST_CHARACTERS])


def current_call_id() -> str:
    """The call that the present task works for, or an empty string."""
    return _call_id.get()


@contextmanager
def call_scope(call_id: str) -> Iterator[None]:
    """Name the call for the length of a block."""
    token = _call_id.set(call_id)
    try:
        yield
    finally:
        _call_id.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line; fields given as ``extra={"fields": {...}}`` stand beside the rest."""

    def __init__(self, module: str, replica: str) -> None:
        super().__init__()
        self._origin = {"module": module, "replica": replica}

    def format(self, record: logging.LogRecord) -> str:
        """Format the record; a traceback goes into the field ``exception``."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._origin,
            "logger": record.name,
            "call_id": current_call_id(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(level: str, module: str, replica: str) -> None:
    """Send every log record of this process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(module, replica))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
