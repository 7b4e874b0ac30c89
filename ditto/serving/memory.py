"""Memory that was freed, back to the system."""

from __future__ import annotations

import asyncio
import ctypes
from functools import cache
from typing import Any

_DELAY_S = 1.0


def give_back_memory() -> None:
    """Hand freed memory back, where the C library keeps it (glibc): after a rare, large job.

    A large picture is decoded in blocks that the allocator would keep for ever, because something
    small and new lies behind them. Takes some milliseconds, while other threads run.
    """
    if (trim := _trim()) is not None:
        trim(0)


def give_back_soon() -> None:
    """The same a moment later, when no error on its way refers to what the job held."""
    loop = asyncio.get_running_loop()
    loop.call_later(_DELAY_S, loop.run_in_executor, None, give_back_memory)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
