"""Steps of an audio encoder or motion generator as work for a `Batcher`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ditto.serving.batcher import Batcher, Work
from ditto.stages import Array, AudioEncoder, BatchedStage, MotionGenerator

Result = TypeVar("Result")
Stage = AudioEncoder[Any] | MotionGenerator[Any]
Output = tuple[Any, Array | None]
"""A session's next state, and the frames that became complete."""


@dataclass(frozen=True)
class StageStep(Generic[Result]):
    """What one session wants computed next."""

    state: Any
    chunk: Array
    """Samples (n,) or features (T, D), perhaps none."""
    is_last: bool
    """True at the end of the speech: what is left comes out too."""
    accept: Callable[[Any, Array | None], Result]
    """Takes the new state and frames into the session; gives what `Batcher.run` gives."""


StageBatcher = Batcher[StageStep[Result], Result]


def stage_work(stage: Stage) -> Work[StageStep[Result], Output, Result]:
    """The steps of different sessions through one stage, together where it can."""

    def compute(items: Sequence[StageStep[Result]]) -> list[Output]:
        fed = [item for item in items if len(item.chunk)]
        stepped = dict(zip(map(id, fed), _step_all(stage, fed), strict=True))
        return [_flushed(stage, item, stepped.get(id(item), (item.state, None))) for item in items]

    return Work(compute, lambda item, output: item.accept(*output))


def _step_all(stage: Stage, items: Sequence[StageStep[Result]]) -> list[Output]:
    if isinstance(stage, BatchedStage) and len(items) > 1:
        return stage.step_many([item.state for item in items], [item.chunk for item in items])
    return [stage.step(item.state, item.chunk) for item in items]


def _flushed(stage: Stage, item: StageStep[Result], output: Output) -> Output:
    if not item.is_last:
        return output
    state, frames = output
    state, rest = stage.flush(state)
    parts = [part for part in (frames, rest) if part is not None and len(part)]
    return state, np.concatenate(parts) if parts else None
