"""Lower quality in announced steps while a call's stages have little headroom, and back by itself.

First half of the denoising steps, then pictures of half the width and height, where the format may
change its size. Only past that are new calls refused (`gateway.admission`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from gateway.clock import Clock
from gateway.config import GatewayConfig
from gateway.stages.call_stages import CallStages

_RECOVERY_MARGIN = 0.15
"""Load must be so far below a threshold before its step is taken back."""
_CALM_LOOKS = 3
"""Looks in a row that must find it there."""


class Level(NamedTuple):
    """One step down from full quality."""

    step_divisor: int
    side_divisor: int
    detail: str


LEVELS = (
    Level(1, 1, "full quality"),
    Level(2, 1, "half of the denoising steps"),
    Level(2, 2, "half of the denoising steps; pictures of half the width and height"),
)


@dataclass
class Quality:
    """The quality of a call now: what its stages are told with each message."""

    level: int = 0

    @property
    def step_divisor(self) -> int:
        """Divides the denoising steps."""
        return LEVELS[self.level].step_divisor

    @property
    def side_divisor(self) -> int:
        """Divides width and height."""
        return LEVELS[self.level].side_divisor


class Degradation:
    """Watches the load of one call's replicas, sets its quality and announces each change."""

    def __init__(
        self,
        stages: CallStages,
        quality: Quality,
        announce: Callable[[pb.Event], Awaitable[None]],
        next_frame: Callable[[], int],
        config: GatewayConfig,
        clock: Clock,
        may_shrink: bool,
    ) -> None:
        """`may_shrink` says whether the pictures may change their size within the call."""
        self._stages = stages
        self._quality = quality
        self._announce = announce
        self._next_frame = next_frame
        self._look_seconds = config.poll_seconds
        self._clock = clock
        self._thresholds = (config.steps_load, config.size_load)
        self._lowest = len(LEVELS) - 1 if may_shrink else len(LEVELS) - 2
        self._calm_looks = 0

    async def run(self) -> None:
        """Look now and then until cancelled."""
        try:
            while True:
                await self._clock.sleep_until(self._clock.now() + self._look_seconds)
                await self._look()
        finally:
            self._count(self._quality.level, 0)

    async def _look(self) -> None:
        level = self._quality.level
        if level < self._lowest and self._load(level) >= self._thresholds[level]:
            await self._set(level + 1)
        elif level and self._load(level - 1) < self._thresholds[level - 1] - _RECOVERY_MARGIN:
            self._calm_looks += 1
            if self._calm_looks >= _CALM_LOOKS:
                await self._set(level - 1)
        else:
            self._calm_looks = 0

    async def _set(self, level: int) -> None:
        self._count(self._quality.level, level)
        self._quality.level, self._calm_looks = level, 0
        kind = pb.EVENT_KIND_DEGRADED if level else pb.EVENT_KIND_RECOVERED
        await self._announce(
            pb.Event(kind=kind, frame_index=self._next_frame(), detail=LEVELS[level].detail)
        )

    def _load(self, level: int) -> float:
        """Load of the busiest of the call's replicas, as it would be at another level.

        All calls of a replica change together, so that its motion load goes with the steps."""
        ratio = self._quality.step_divisor / LEVELS[level].step_divisor
        loads = (
            session.replica.load() * (ratio if session is self._stages.motion else 1)
            for session in self._stages.sessions
            if session.is_open  # an interrupt opens new ones
        )
        return max(loads, default=0.0)

    @staticmethod
    def _count(old: int, new: int) -> None:
        metrics.DEGRADED_CALLS.inc((new > 0) - (old > 0))
        metrics.DEGRADATIONS.inc(new > old)
