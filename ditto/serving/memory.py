"""Memory that was freed, back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from functools import cache
from typing import Any

_DELAY_S = 1.0
_TIDY_S = 5.0


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


def begin_to_count() -> None:
    """What is there now stays: collections need not look at it again. After loading."""
    gc.collect()
    gc.freeze()
    gc.collect()


async def tidy_up_after(calls_ended: Callable[[], int]) -> None:
    """Free what ended calls left, every few seconds, until cancelled.

    The parts of a call refer to one another, and an error to all that it came through, so that only
    the collector can free them. By itself it counts objects, and looks at old ones seldom: a few
    calls with portraits of 20 MiB each would be nothing to it.
    """
    seen = 0
    while True:
        await asyncio.sleep(_TIDY_S)
        if (ended := calls_ended()) != seen:
            seen = ended
            gc.collect()
            await asyncio.to_thread(give_back_memory)


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
