"""Session slots: a stage takes so many sessions at once and refuses the next one at the door.

A few more are kept for sessions of calls that are under way: those of a replica that was lost or
drains must find room although new calls fill every slot that they can get.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ditto.errors import AtCapacityError, StageUnavailableError
from ditto.serving import metrics
from ditto.serving.load import LoadMeter

RETRY_AFTER_MS = 1000
"""When a refused caller should ask again."""


class SlotPool:
    """Counts the live sessions of one module. Used from the event loop only."""

    def __init__(self, module: str, slots: int, reserved: int = 0, threads: int = 1) -> None:
        """``reserved`` slots beyond ``slots`` go to moved sessions only; the module computes
        ``threads`` steps at once."""
        self._module = module
        self._slots = slots
        self._reserved = reserved
        self._live = self._realtime = 0
        self._idle = asyncio.Event()
        self.load = LoadMeter(threads)
        """What the sessions take of the module."""
        self.draining = False
        """Set by `drain`: no further session starts."""
        self._changed()

    @property
    def live(self) -> int:
        """Sessions that run now."""
        return self._live

    @property
    def realtime(self) -> int:
        """Those of them that must keep the pace of their video."""
        return self._realtime

    @property
    def free(self) -> int:
        """New sessions that may still start."""
        return 0 if self.draining else max(0, self._slots - self._live)

    @contextmanager
    def take(self, moved: bool = False, is_realtime: bool = False) -> Iterator[None]:
        """Hold a slot for the length of a block, if need be a reserved one where `moved`.

        Raises `AtCapacityError` when none is free, `StageUnavailableError` while draining.
        """
        if self.draining:
            metrics.ADMISSIONS_REFUSED.labels("draining").inc()
            raise StageUnavailableError(f"{self._module} is draining; use another replica")
        if self._live >= self._slots + (self._reserved if moved else 0):
            metrics.ADMISSIONS_REFUSED.labels("no_slot").inc()
            raise AtCapacityError(
                f"{self._module}: all {self._slots} slots are taken", RETRY_AFTER_MS
            )
        self._live += 1
        self._realtime += is_realtime
        self._changed()
        try:
            yield
        finally:
            self._live -= 1
            self._realtime -= is_realtime
            self._changed()

    async def drain(self) -> None:
        """Let nothing new start; return when the last session has ended."""
        self.draining = True
        self._changed()
        await self._idle.wait()

    def _changed(self) -> None:
        metrics.SESSIONS_LIVE.labels(self._module).set(self._live)
        metrics.SLOTS_FREE.labels(self._module).set(self.free)
        if self._live:
            self._idle.clear()
        else:
            self._idle.set()
