"""Emotion and eyes that change while a call runs, and going on from between two segments."""

from __future__ import annotations

import numpy as np
import pytest

from ditto import packs
from ditto.motion import layout, semantics
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from ditto.stages import FaceIdentity, MotionSettings

FRAMES = 750


@pytest.fixture(scope="module")
def generator() -> StarterMotionGenerator:
    found = packs.load("starter").motion_generator()
    assert isinstance(found, StarterMotionGenerator)
    return found


@pytest.fixture(scope="module")
def identity() -> FaceIdentity:
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    still = layout.Motion(
        one, zero, zero, zero, np.zeros((1, 3), np.float32), np.zeros((1, 63), np.float32)
    )
    return FaceIdentity(np.zeros(63, np.float32), layout.pack(still)[0], np.zeros(8, np.float32))


def amounts(motion: np.ndarray, name: str) -> np.ndarray:
    return semantics.decode(motion[:, layout.EXPRESSION])[:, semantics.control_index(name)]


def lids(
    generator: StarterMotionGenerator, identity: FaceIdentity, **settings: float
) -> np.ndarray:
    """How closed the left lid is over 30 s of silence."""
    state = generator.init_state(identity, MotionSettings(seed=4, **settings))
    silence = np.zeros((FRAMES, generator.feature_dim), np.float32)
    _, motion = generator.step(state, silence)
    assert motion is not None
    return amounts(motion, "eyeBlinkLeft")


def blinks(closed: np.ndarray) -> list[int]:
    """Frames that each blink lasts."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], closed > 0.5, [0]]).astype(int)))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def test_blinks_come_as_often_and_last_as_long_as_asked(
    generator: StarterMotionGenerator, identity: FaceIdentity
) -> None:
    assert blinks(lids(generator, identity, blinks_per_minute=0)) == []
    often = blinks(lids(generator, identity, blinks_per_minute=30))
    assert 12 <= len(often) <= 18
    long = blinks(lids(generator, identity, blinks_per_minute=10, blink_frames=25))
    assert 3 <= len(long) <= 7
    assert np.median(long) > 2 * np.median(often)
    print(f"30 a minute: {len(often)} in 30 s of {often}; 25 frames: {long}")


def test_an_emotion_may_change_between_two_segments_without_a_jump(
    generator: StarterMotionGenerator, identity: FaceIdentity
) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 0.1, (100, generator.feature_dim)).astype(np.float32)
    calm = generator.init_state(identity, MotionSettings(seed=1))
    calm, first = generator.step(calm, features[:50])
    _, same = generator.step(calm, features[50:])
    happy = generator.adjust(calm, MotionSettings(seed=1, emotion="happy"))
    _, other = generator.step(happy, features[50:])
    assert first is not None
    assert same is not None
    assert other is not None
    smile = amounts(other, "mouthSmile")
    assert smile[25:].mean() > amounts(same, "mouthSmile")[25:].mean() + 0.05
    before = amounts(first, "mouthSmile")[-1]
    assert np.abs(np.diff(np.concatenate([[before], smile]))).max() < 0.25


def test_a_segment_that_was_cut_short_goes_on(
    generator: StarterMotionGenerator, identity: FaceIdentity
) -> None:
    silence = np.zeros((13, generator.feature_dim), np.float32)
    state, _ = generator.step(generator.init_state(identity, MotionSettings()), silence)
    settled = generator.settle(state)
    assert (settled.frame, len(settled.waiting)) == (13, 0)
    _, motion = generator.step(settled, silence[:10])
    assert motion is not None
    last = layout.unpack(generator.flush(state)[1])
    assert np.abs(layout.unpack(motion).yaw[0] - last.yaw[-1]) < 1.0
