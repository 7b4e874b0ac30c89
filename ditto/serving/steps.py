"""The steps of one session: each in the compute thread, measured until frames come of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ditto.serving import metrics
from ditto.serving.stage import StageIdentity
from ditto.serving.worker import NO_TIME, ComputeThread, StepTime
from ditto.v1.types_pb2 import StepTiming

Result = TypeVar("Result")


class StepMeter:
    """Adds up what one session's steps take, until frames come of them."""

    def __init__(self, identity: StageIdentity) -> None:
        self._identity = identity
        self._spent = NO_TIME

    def add(self, took: StepTime) -> None:
        """Add what was spent on the frames to come."""
        self._spent += took

    def timing(self, frames: int) -> StepTiming:
        """Record so many frames with all that was spent since the last ones."""
        spent, self._spent = self._spent, NO_TIME
        module, rate = self._identity.module, self._identity.frame_rate
        metrics.observe_step(module, spent.compute_s, spent.queue_s, frames, rate)
        return StepTiming(
            compute_us=round(spent.compute_s * 1e6),
            queue_us=round(spent.queue_s * 1e6),
            batch_size=1,
        )


class StepRunner(StepMeter):
    """Runs one session's jobs in turn."""

    def __init__(self, identity: StageIdentity, worker: ComputeThread) -> None:
        super().__init__(identity)
        self._worker = worker

    async def run(self, job: Callable[..., Result], *arguments: object) -> Result:
        """Run a job and add up what it took."""
        result, took = await self._worker.run(job, *arguments)
        self.add(took)
        return result
