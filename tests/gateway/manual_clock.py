"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class ManualClock:
    """Wakes its sleepers in order while a test advances it."""

    def __init__(self) -> None:
        self._now_s = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> float:
        return self._now_s

    async def sleep_until(self, moment_s: float) -> None:
        await asyncio.sleep(0)
        if moment_s > self._now_s:
            waker = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, (moment_s, next(self._numbers), waker))
            await waker

    async def advance_to(self, moment_s: float) -> None:
        """Let time pass; each sleeper runs at its own moment."""
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= moment_s:
            self._now_s, _, waker = heapq.heappop(self._sleepers)
            if not waker.cancelled():
                waker.set_result(None)
            await _settle()
        self._now_s = moment_s


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
