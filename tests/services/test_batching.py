"""Real stages behind a batcher: sessions that step when they like get what they get alone."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ditto import packs
from ditto.serving.batcher import Batcher, BatchLimits
from ditto.serving.load import LoadMeter
from ditto.serving.stage import StageIdentity
from ditto.serving.stage_steps import StageStep, stage_work
from ditto.serving.steps import StepMeter
from ditto.stages import MotionSettings
from services.audio_encoder.loader import warm_up
from services.motion_dit.loader import _plain_face
from services.renderer.pipeline import RenderPipeline, _within_reach

SESSIONS = 4
TOLERANCE = 1e-4


class Session:
    """Steps through its chunks and keeps the frames that come of them."""

    def __init__(self, state: Any, chunks: Sequence[np.ndarray]) -> None:
        self.state = state
        self.chunks = chunks
        self.frames: list[np.ndarray] = []

    def accept(self, state: Any, frames: np.ndarray | None) -> None:
        self.state = state
        if frames is not None:
            self.frames.append(frames)

    async def run(self, batcher: Any, chance: random.Random, batches: Counter[int]) -> np.ndarray:
        for number, chunk in enumerate(self.chunks):
            await asyncio.sleep(chance.random() * 0.004)
            is_last = number == len(self.chunks) - 1
            step = StageStep(self.state, chunk, is_last, self.accept)
            _, took = await batcher.run(step, deadline_s=chance.random())
            batches[took.batch_size] += 1
        return np.concatenate(self.frames)


async def together(stage: Any, sessions: list[Session]) -> tuple[list[np.ndarray], Counter[int]]:
    """What each session gets, and how often it was in a batch of which size."""
    batches: Counter[int] = Counter()
    limits = BatchLimits(max_batch=SESSIONS, max_wait_s=0.005, max_pending=SESSIONS)
    batcher = Batcher("test", stage_work(stage), limits, lambda: len(sessions))
    try:
        runs = [s.run(batcher, random.Random(n), batches) for n, s in enumerate(sessions)]
        return list(await asyncio.gather(*runs)), batches
    finally:
        await batcher.close()


def alone(stage: Any, state: Any, chunks: Sequence[np.ndarray]) -> np.ndarray:
    """The same without a batcher."""
    parts = []
    for chunk in chunks:
        state, frames = stage.step(state, chunk)
        parts.append(frames)
    parts.append(stage.flush(state)[1])
    return np.concatenate([part for part in parts if part is not None])


def speech(seed: int, length: int, *shape: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 2 * length // 6, 6)
    return [0.1 * rng.normal(size=(size, *shape)).astype(np.float32) for size in sizes]


@pytest.mark.parametrize("wishes", [(2, 2, 2, 2), (1, 2, 2, 4)])
async def test_motion_of_sessions_together_is_their_motion_alone(wishes: tuple[int, ...]):
    generator = packs.load("starter").motion_generator()
    face = _plain_face()
    states = [
        generator.init_state(face, MotionSettings(seed=seed, sampling_steps=steps))
        for seed, steps in enumerate(wishes)
    ]
    chunks = [speech(seed, 60, generator.feature_dim) for seed in range(SESSIONS)]
    found, batches = await together(generator, list(map(Session, states, chunks)))
    for got, state, own in zip(found, states, chunks, strict=True):
        np.testing.assert_allclose(got, alone(generator, state, own), atol=TOLERANCE)
    assert sum(count for size, count in batches.items() if size > 1) > 0


async def test_features_of_sessions_together_are_their_features_alone():
    encoder = packs.load("starter").audio_encoder()
    warm_up(encoder)
    chunks = [speech(seed, 20_000) for seed in range(SESSIONS)]
    states = [encoder.init_state() for _ in range(SESSIONS)]
    found, batches = await together(encoder, list(map(Session, states, chunks)))
    for got, state, own in zip(found, states, chunks, strict=True):
        np.testing.assert_allclose(got, alone(encoder, state, own), atol=TOLERANCE)
    assert sum(count for size, count in batches.items() if size > 1) > 0


async def test_a_stage_that_cannot_batch_takes_turns():
    class Plain:
        def step(self, state: int, chunk: np.ndarray) -> tuple[int, np.ndarray]:
            return state + 1, chunk + state

        def flush(self, state: int) -> tuple[int, None]:
            return state, None

    sessions = [Session(10 * n, [np.zeros(2, np.float32)] * 3) for n in range(SESSIONS)]
    found, _ = await together(Plain(), sessions)
    for number, got in enumerate(found):
        assert got.tolist() == [10 * number + step for step in (0, 0, 1, 1, 2, 2)]


def test_only_a_renderer_that_batches_waits_for_company():
    class Batching:
        def render_heads(self, appearances: object, motions: object) -> list[object]:
            return []

    limits = BatchLimits(max_batch=8, max_wait_s=0.005, max_pending=9)
    assert _within_reach(Batching(), limits) == limits
    alone_limits = _within_reach(packs.load("starter").renderer(), limits)
    assert (alone_limits.max_batch, alone_limits.max_wait_s) == (1, 0)
    assert alone_limits.max_pending == 9


async def test_a_frame_leaves_while_the_next_is_drawn():
    gate = threading.Event()

    class Slow:
        def render_head(self, appearance: object, motion: np.ndarray) -> np.ndarray:
            if motion[0] > 0:
                gate.wait(10)
            return motion

    pipeline = RenderPipeline(Slow(), BatchLimits(), lambda: 1)
    session = SimpleNamespace(
        appearance_at=lambda frame: None,
        view_of=lambda head, frame: head,
        encode=lambda head, _: head,
    )
    meter = StepMeter(StageIdentity("pipeline-test", "r", "p", "1", "h", 25), LoadMeter())
    motion = np.arange(3, dtype=np.float32)[:, None]
    frames = pipeline.frames(session, 0, motion, meter)
    try:
        assert (await asyncio.wait_for(anext(frames), 5))[0] == 0
        gate.set()
        assert [frame[0] async for frame in frames] == [1, 2]
    finally:
        gate.set()
        await pipeline.close()
