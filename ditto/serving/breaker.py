"""A circuit breaker: what fails several times in a row, or is slow once, is left alone for a while.

A failure is told at once and costs little; slowness costs whoever waits, so one is enough.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 3
"""Failures in a row that open the circuit."""
PAUSE_S = 5.0
"""Time that an open circuit stays so; then the next request tries again."""


class CircuitBreaker:
    """Counts failures; while open, nothing should be tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while the dependency is left alone."""
        return self._failures >= FAILURES and self._clock() < self._open_until

    def succeeded(self) -> None:
        """A request went well."""
        self._failures = 0

    def failed(self, was_slow: bool = False) -> None:
        """A request failed. After the pause, one more failure opens the circuit again."""
        self._failures = FAILURES if was_slow else self._failures + 1
        self._open_until = self._clock() + PAUSE_S
