"""Ends tasks whose outcome nobody wants any more, without a word of it in the log."""

from __future__ import annotations

import asyncio
from typing import Any


def drop(task: asyncio.Future[Any]) -> None:
    """Cancel a task, if it runs still; how it ended is told by whatever made it useless."""
    task.cancel()
    task.add_done_callback(_take_note)


def _take_note(task: asyncio.Future[Any]) -> None:
    """asyncio logs an error that comes of the cancelling and was never asked for."""
    if not task.cancelled():
        task.exception()
