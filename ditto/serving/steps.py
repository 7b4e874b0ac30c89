"""The steps of one session: batched with those of others, measured until frames come of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ditto.serving import metrics
from ditto.serving.batcher import Batcher
from ditto.serving.load import LoadMeter
from ditto.serving.stage import StageIdentity
from ditto.serving.step_time import NO_TIME, StepTime
from ditto.serving.tracing import record_step
from ditto.v1.types_pb2 import StepTiming

Item = TypeVar("Item")
Result = TypeVar("Result")


class StepMeter:
    """Adds up what one session's steps take, and knows when its next frames are wanted."""

    def __init__(
        self,
        identity: StageIdentity,
        load: LoadMeter,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._identity = identity
        self._load = load
        self._clock = clock
        self._spent = NO_TIME
        self._played_until_s = 0.0

    def deadline_s(self) -> float:
        """When all frames given so far will have been played, now if they have been.

        A session that runs ahead of its video lets the others go first; one that paused starts
        afresh, so that it never claims the time that it left unused.
        """
        self._played_until_s = max(self._played_until_s, self._clock())
        return self._played_until_s

    def add(self, took: StepTime) -> None:
        """Add what was spent on the frames to come."""
        self._spent += took
        record_step(self._identity.module, took)

    def timing(self, frames: int) -> StepTiming:
        """Record so many frames with all that was spent since the last ones."""
        spent, self._spent = self._spent, NO_TIME
        module, rate = self._identity.module, self._identity.frame_rate
        self._played_until_s += frames / rate
        metrics.observe_step(module, spent, frames, rate)
        self._load.add(spent.share_s, frames / rate)
        return StepTiming(
            compute_us=round(spent.compute_s * 1e6),
            queue_us=round(spent.queue_s * 1e6),
            batch_size=spent.batch_size,
        )


class StepRunner(StepMeter, Generic[Item, Result]):
    """Runs one session's steps in turn."""

    def __init__(
        self, identity: StageIdentity, load: LoadMeter, batcher: Batcher[Item, Result]
    ) -> None:
        super().__init__(identity, load)
        self._batcher = batcher

    async def run(self, item: Item) -> Result:
        """Compute a step and add up what it took."""
        result, took = await self._batcher.run(item, self.deadline_s())
        self.add(took)
        return result
