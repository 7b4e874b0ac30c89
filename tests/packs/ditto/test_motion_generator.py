"""The streaming motion stage with a tiny diffusion model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.motion.layout import EXPRESSION
from ditto.packs.ditto.motion_generator import LmdmMotionGenerator, LmdmState
from ditto.packs.ditto.settings import DrivingSettings
from ditto.stages import FaceIdentity, MotionSettings
from ditto.streaming.checkpoint import dump_state, load_state

FEATURES = np.random.default_rng(4).normal(0, 1, (60, 32)).astype(np.float32)
SEEDED = MotionSettings(seed=5, sampling_steps=2)


def generate(
    generator: LmdmMotionGenerator,
    identity: FaceIdentity,
    features: np.ndarray,
    size: int = 5,
    settings: MotionSettings = SEEDED,
) -> np.ndarray:
    state, parts = generator.init_state(identity, settings), []
    for at in range(0, len(features), size):
        state, frames = generator.step(state, features[at : at + size])
        state = load_state(dump_state(state, "h"), LmdmState, "h")
        parts.append(frames)
    parts.append(generator.flush(state)[1])
    shown = [part for part in parts if part is not None]
    return np.concatenate(shown) if shown else np.zeros((0, 265), np.float32)


@pytest.mark.parametrize("frames", [0, 1, 9, 10, 25, 60])
def test_every_feature_frame_gets_its_motion(
    generator: LmdmMotionGenerator, identity: FaceIdentity, frames: int
) -> None:
    motion = generate(generator, identity, FEATURES[:frames])
    assert motion.shape == (frames, 265)
    assert np.isfinite(motion).all()


def test_motion_does_not_depend_on_the_chunks(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    whole = generate(generator, identity, FEATURES, size=60)
    assert np.array_equal(generate(generator, identity, FEATURES, size=7), whole)


def test_frames_come_after_two_segments(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    state = generator.init_state(identity, SEEDED)
    state, first = generator.step(state, FEATURES[:19])
    assert first is None
    _, frames = generator.step(state, FEATURES[19:20])
    assert frames is not None
    assert len(frames) == generator.segment_frames == 10


def test_the_first_segment_starts_at_the_portrait(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    """Relative driving: no change means the portrait's own motion, whatever that is."""
    other = replace(identity, reference_motion=identity.reference_motion + np.float32(0.5))
    both = [generate(generator, who, FEATURES[:20]) for who in (identity, other)]
    assert np.abs(both[0] - identity.reference_motion).max() > 1e-3
    assert np.abs(both[0] - both[1]).max() > 0.1


def test_calls_together_equal_calls_alone(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    wanted = [
        replace(SEEDED, seed=seed, sampling_steps=steps) for seed, steps in ((1, 2), (2, 2), (3, 3))
    ]
    states = [generator.init_state(identity, settings) for settings in wanted]
    chunks = [FEATURES[i : i + 25] for i in range(3)]
    together = generator.step_many(states, chunks)
    for state, chunk, (_, frames) in zip(states, chunks, together, strict=True):
        alone = generator.step(state, chunk)[1]
        assert frames is not None
        assert np.abs(frames - alone).max() < 1e-4


def test_seed_emotion_and_speech_matter(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    plain = generate(generator, identity, FEATURES)
    assert np.array_equal(generate(generator, identity, FEATURES), plain)
    for other in (
        generate(generator, identity, FEATURES, settings=replace(SEEDED, seed=6)),
        generate(generator, identity, FEATURES, settings=replace(SEEDED, emotion="happy")),
        generate(generator, identity, -FEATURES),
    ):
        assert np.abs(other - plain).max() > 1e-3


def test_the_state_stays_bounded(generator: LmdmMotionGenerator, identity: FaceIdentity) -> None:
    state = generator.init_state(identity, SEEDED)
    sizes = set()
    for _ in range(30):
        state, _ = generator.step(state, FEATURES[:10])
        sizes.add(len(dump_state(state, "h")))
    assert max(sizes) < 4 * 2**20
    assert len(state.schedule.fused.frames) <= 160
    assert len(state.schedule.features) < 80


def test_limits_and_blinks_of_the_released_configuration(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    deltas = np.zeros((15, 63), np.float32)
    deltas[1:, 33] = 9.0
    limit = np.full(265, 0.01, np.float32)
    driving = DrivingSettings(limits=(-limit, limit), blink_deltas=deltas, blink_open_frames=4)
    driven = LmdmMotionGenerator(generator._sampler, generator._silence, driving, 70)
    motion = generate(driven, identity, FEATURES)
    change = motion - identity.reference_motion
    eyes = EXPRESSION.start + 33
    assert np.abs(np.delete(change, eyes, axis=1)).max() <= 0.02 + 1e-6
    assert np.isclose(change[:4, eyes], 0, atol=1e-6).all()
    assert np.isclose(change[5:19, eyes], 9, atol=1e-5).all()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (MotionSettings(sampling_steps=0), "sampling_steps"),
        (MotionSettings(sampling_steps=51), "sampling_steps"),
        (MotionSettings(emotion="bored"), "emotion"),
        (MotionSettings(emotion_intensity=1.5), "emotion_intensity"),
    ],
)
def test_bad_settings_are_named(
    generator: LmdmMotionGenerator, identity: FaceIdentity, settings: MotionSettings, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=field):
        generator.init_state(identity, settings)


def test_broken_features_are_refused(
    generator: LmdmMotionGenerator, identity: FaceIdentity
) -> None:
    state = generator.init_state(identity, SEEDED)
    for features in (np.zeros((3, 31), np.float32), np.full((3, 32), np.inf, np.float32)):
        with pytest.raises(InvalidInputError, match="features"):
            generator.step(state, features)
