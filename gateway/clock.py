"""Time, as something that tests can replace."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock in seconds that can be waited for."""

    def now(self) -> float: ...

    async def sleep_until(self, moment_s: float) -> None:
        """Return at `moment_s`, at once if that has passed."""


class MonotonicClock:
    """The machine's."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment_s: float) -> None:
        await asyncio.sleep(max(0.0, moment_s - time.monotonic()))
