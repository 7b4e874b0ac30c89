"""Several drawing threads, and who goes first: order within a session, deadlines among them."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import numpy as np
import pytest

from ditto.serving.batcher import BatchLimits
from ditto.serving.load import LoadMeter
from ditto.serving.stage import StageIdentity
from ditto.serving.steps import StepMeter
from services.renderer.pipeline import RenderPipeline

SESSIONS = 4
FRAMES = 12


class Drawing:
    """A renderer that takes its time and keeps account of what it drew, and how much at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.drawn: list[tuple[str, int]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def render_head(self, appearance: str, motion: np.ndarray) -> np.ndarray:
        with self._lock:
            self.drawn.append((appearance, int(motion[0])))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        return motion


class Session:
    """Shows heads as they are."""

    def __init__(self, name: str) -> None:
        self.name = name

    def appearance_at(self, frame: int) -> str:
        return self.name

    def view_of(self, head: np.ndarray, frame: int) -> np.ndarray:
        return head

    def encode(self, image: np.ndarray, side_divisor: int) -> np.ndarray:
        return image


def meter() -> StepMeter:
    return StepMeter(StageIdentity("threads-test", "r", "p", "1", "h", 25), LoadMeter())


async def shown(pipeline: RenderPipeline, name: str, frames: int) -> list[int]:
    motion = np.arange(frames, dtype=np.float32)[:, None]
    own = meter()
    found = []
    async for frame in pipeline.frames(Session(name), 0, motion, own):  # type: ignore[arg-type]
        own.timing(1)
        found.append(int(frame[0]))  # type: ignore[index]
    return found


@pytest.mark.parametrize("threads", [1, 3])
async def test_a_session_gets_its_frames_in_order_from_any_number_of_threads(threads: int) -> None:
    renderer: Any = Drawing(0.002)
    pipeline = RenderPipeline(renderer, BatchLimits(), lambda: SESSIONS, threads)
    try:
        found = await asyncio.gather(*(shown(pipeline, str(n), FRAMES) for n in range(SESSIONS)))
    finally:
        await pipeline.close()
    assert found == [list(range(FRAMES))] * SESSIONS
    for n in range(SESSIONS):
        own = [frame for name, frame in renderer.drawn if name == str(n)]
        assert own == list(range(FRAMES))
    assert renderer.most_at_once == threads


async def test_the_first_frame_of_a_call_goes_before_frames_that_are_wanted_later() -> None:
    renderer: Any = Drawing(0.004)
    pipeline = RenderPipeline(renderer, BatchLimits(), lambda: SESSIONS)
    running = [asyncio.create_task(shown(pipeline, str(n), FRAMES)) for n in range(SESSIONS)]
    try:
        while len(renderer.drawn) < 3 * SESSIONS:  # noqa: ASYNC110 - each ahead of its video
            await asyncio.sleep(0.001)
        begun = len(renderer.drawn)
        assert await shown(pipeline, "new", 1) == [0]
        place = renderer.drawn.index(("new", 0)) - begun
        assert place <= 1  # behind the one that was being drawn, and no other
        await asyncio.gather(*running)
    finally:
        await pipeline.close()
