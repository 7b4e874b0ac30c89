"""What tenants use: calls at once, seconds of video and bytes in each hour and day, avatars.

Each gateway counts for itself and from its start on; the windows are those of the clock (UTC).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from ditto.errors import QuotaError

_HOUR_S = 3600
_DAY_S = 86_400
_RETRY_MS = 1000


class TenantLimits(BaseModel):
    """Most that a tenant may use of one gateway; null for no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int | None = Field(default=None, ge=0)
    """Streaming calls at once."""
    video_seconds_per_hour: float | None = Field(default=None, ge=0)
    video_seconds_per_day: float | None = Field(default=None, ge=0)
    bytes_per_hour: int | None = Field(default=None, ge=0)
    """Of requests and answers together."""
    bytes_per_day: int | None = Field(default=None, ge=0)
    avatars: int | None = Field(default=None, ge=0)
    """Registered at once."""


class _Window:
    """An amount that starts from nothing in each hour or day."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._number = -1
        self._used = 0.0

    def add(self, amount: float, now_s: float) -> None:
        number = int(now_s // self._seconds)
        if number != self._number:
            self._number, self._used = number, 0.0
        self._used += amount

    def used(self, now_s: float) -> float:
        return self._used if int(now_s // self._seconds) == self._number else 0.0

    def left_ms(self, now_s: float) -> int:
        """Until the window ends."""
        return int((self._seconds - now_s % self._seconds) * 1000) + 1


class Usage:
    """What one tenant uses of this gateway. Used from the event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._clock = clock
        self._calls = 0
        self._video = {"hour": _Window(_HOUR_S), "day": _Window(_DAY_S)}
        self._bytes = {"hour": _Window(_HOUR_S), "day": _Window(_DAY_S)}

    @contextmanager
    def call(self, most: int | None) -> Iterator[None]:
        """Hold one call of `most` for the length of a block; None does not count.

        Raises `QuotaError` when all are taken.
        """
        if most is None:
            yield
            return
        if self._calls >= most:
            raise QuotaError(f"calls: you may have {most} at once", _RETRY_MS)
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def add_video(self, seconds: float) -> None:
        """Count video that was sent."""
        for window in self._video.values():
            window.add(seconds, self._clock())

    def add_bytes(self, count: int) -> None:
        """Count what came or went."""
        for window in self._bytes.values():
            window.add(count, self._clock())

    def check(self, limits: TenantLimits) -> None:
        """Raise `QuotaError` when an hour's or a day's share is used up."""
        self._check("video_seconds", self._video, limits)
        self._check("bytes", self._bytes, limits)

    def _check(self, what: str, windows: dict[str, _Window], limits: TenantLimits) -> None:
        now_s = self._clock()
        for period, window in windows.items():
            limit = getattr(limits, f"{what}_per_{period}")
            if limit is not None and window.used(now_s) >= limit:
                raise QuotaError(
                    f"{what}_per_{period}: your {limit:g} are used up", window.left_ms(now_s)
                )
