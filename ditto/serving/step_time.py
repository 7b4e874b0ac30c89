"""What a step took, as one session sees it and as its share of the thread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepTime:
    """Seconds of wall time, of one step or of several in turn."""

    compute_s: float
    """Of the whole batch."""
    queue_s: float
    """Wait for the thread."""
    share_s: float
    """This session's part of the batch; the parts of all add up to the thread's work."""
    batch_size: int
    """Most sessions that were computed together."""

    def __add__(self, other: StepTime) -> StepTime:
        return StepTime(
            self.compute_s + other.compute_s,
            self.queue_s + other.queue_s,
            self.share_s + other.share_s,
            max(self.batch_size, other.batch_size),
        )


NO_TIME = StepTime(0.0, 0.0, 0.0, 1)


def step_time(compute_s: float, queue_s: float, batch_size: int = 1) -> StepTime:
    """Of one step of a session in a batch."""
    return StepTime(compute_s, queue_s, compute_s / batch_size, batch_size)
