"""The starter's motion stage with its shipped weights: streaming, seeds, and lips that follow."""

from __future__ import annotations

import json
import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ditto import packs
from ditto.errors import InvalidInputError
from ditto.motion import layout, semantics
from ditto.packs.starter.motion_generator import MotionState, StarterMotionGenerator
from ditto.stages import EMOTIONS, FaceIdentity, MotionSettings
from ditto.streaming.checkpoint import dump_state, load_state

EXAMPLES = Path(__file__).parents[3] / "examples"
GAP = semantics.control_index("lipGap")


def face(yaw: float = 0.0) -> FaceIdentity:
    one = np.ones(1, np.float32)
    home = layout.Motion(
        one,
        0 * one,
        yaw * one,
        0 * one,
        np.zeros((1, 3), np.float32),
        np.zeros((1, 63), np.float32),
    )
    return FaceIdentity(np.zeros(63, np.float32), layout.pack(home)[0], np.zeros(8, np.float32))


@pytest.fixture(scope="module")
def generator() -> StarterMotionGenerator:
    loaded = packs.load("starter").motion_generator()
    assert isinstance(loaded, StarterMotionGenerator)
    return loaded


def encode(samples: np.ndarray) -> np.ndarray:
    encoder = packs.load("starter").audio_encoder()
    state, first = encoder.step(encoder.init_state(), samples)
    _, rest = encoder.flush(state)
    return np.concatenate([part for part in (first, rest) if part is not None])


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """(T, 770) features of the example speech."""
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return encode(samples.astype(np.float32) / 32770)


def run(
    generator: StarterMotionGenerator,
    chunks: list[np.ndarray],
    settings: MotionSettings | None = None,
) -> np.ndarray:
    state, out = generator.init_state(face(), settings or MotionSettings()), []
    for chunk in chunks:
        state, motion = generator.step(state, chunk)
        out.append(motion)
    out.append(generator.flush(state)[1])
    return np.concatenate([motion for motion in out if motion is not None])


def lip_gap(motion: np.ndarray) -> np.ndarray:
    return semantics.decode(motion[:, layout.EXPRESSION])[:, GAP]


@pytest.fixture(scope="module")
def spoken(generator: StarterMotionGenerator, speech: np.ndarray) -> np.ndarray:
    return run(generator, [speech])


@pytest.mark.parametrize("sizes", [[1] * 43, [7] * 7, [5] * 9, [2, 40, 1], [43]])
def test_streamed_equals_whole(
    generator: StarterMotionGenerator, speech: np.ndarray, sizes: list[int]
) -> None:
    part = speech[40:83]
    edges = np.minimum(np.cumsum([0, *sizes]), len(part))
    chunks = [part[a:b] for a, b in pairwise(edges)]
    whole = run(generator, [part])
    assert whole.shape == (43, layout.MOTION_DIM)
    np.testing.assert_array_equal(run(generator, chunks), whole)


def test_causal(generator: StarterMotionGenerator, speech: np.ndarray, spoken: np.ndarray) -> None:
    changed = speech[:60].copy()
    changed[30:] = speech[100:130]
    motion = run(generator, [changed])
    np.testing.assert_array_equal(motion[:30], spoken[:30])
    assert np.abs(motion[30:] - spoken[30:60]).max() > 1e-3


def test_sessions_never_mix(generator: StarterMotionGenerator, speech: np.ndarray) -> None:
    wishes = [
        MotionSettings(seed=1),
        MotionSettings(seed=2, emotion="happy"),
        MotionSettings(seed=3, sampling_steps=4),
    ]
    parts = [speech[:50], speech[60:110], speech[110:160]]
    states = [generator.init_state(face(), wish) for wish in wishes]
    out: list[list[np.ndarray]] = [[], [], []]
    for start in range(0, 50, 5):
        stepped = generator.step_many(states, [part[start : start + 5] for part in parts])
        states = [state for state, _ in stepped]
        for kept, (_, motion) in zip(out, stepped, strict=True):
            assert motion is not None
            kept.append(motion)
    for kept, part, wish in zip(out, parts, wishes, strict=True):
        np.testing.assert_allclose(np.concatenate(kept), run(generator, [part], wish), atol=2e-3)


def test_a_seed_repeats_and_another_differs(
    generator: StarterMotionGenerator, speech: np.ndarray, spoken: np.ndarray
) -> None:
    np.testing.assert_array_equal(run(generator, [speech]), spoken)
    other = run(generator, [speech], MotionSettings(seed=1))
    assert np.abs(other[:, layout.EXPRESSION] - spoken[:, layout.EXPRESSION]).max() > 1e-3


def test_a_checkpoint_goes_on_with_equal_frames(
    generator: StarterMotionGenerator, speech: np.ndarray, spoken: np.ndarray
) -> None:
    state, first = generator.step(generator.init_state(face(), MotionSettings()), speech[:48])
    data = dump_state(state, "hash")
    assert len(data) < 64 * 1024
    _, second = generator.step(load_state(data, MotionState, "hash"), speech[48:])
    assert first is not None
    assert second is not None
    joined = np.concatenate([first, second])
    np.testing.assert_array_equal(joined, spoken[: len(joined)])


def test_speech_after_a_flush_starts_from_the_frames_shown(
    generator: StarterMotionGenerator, speech: np.ndarray
) -> None:
    state, first = generator.step(generator.init_state(face(), MotionSettings()), speech[:48])
    state, rest = generator.flush(state)
    assert first is not None
    assert rest is not None
    assert (len(first), len(rest), state.frame) == (45, 3, 48)
    _, after = generator.step(state, speech[48:58])
    assert after is not None
    jump = np.abs(lip_gap(after)[0] - lip_gap(rest)[-1])
    assert jump < 0.35


def test_silence_and_noise_keep_the_mouth_shut(generator: StarterMotionGenerator) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, 48_000).astype(np.float32)
    assert lip_gap(run(generator, [encode(np.zeros(48_000, np.float32))])).max() < 0.1
    assert np.percentile(lip_gap(run(generator, [encode(noise)])), 95) < 0.1


def test_lips_follow_the_example_speech(spoken: np.ndarray) -> None:
    phones = json.loads((EXAMPLES / "speech.phones.json").read_text())["phones"]
    gap = lip_gap(spoken)
    middles = (np.arange(len(gap)) + 0.5) / 25

    def during(symbols: str) -> np.ndarray:
        frames = [
            np.abs(middles - (a + b) / 2).argmin() for p, a, b in phones if p in symbols.split()
        ]
        return gap[frames]

    assert (during("p b m") <= 0.2).mean() >= 0.9
    assert during("aa ae ay eh ey").mean() > 0.4
    assert gap.std() > 0.15
    assert gap[:5].max() < 0.1
    assert gap[-5:].max() < 0.1


def test_the_head_moves_about_the_portrait_s_own_pose(
    generator: StarterMotionGenerator, speech: np.ndarray
) -> None:
    state = generator.init_state(face(yaw=-12), MotionSettings())
    _, motion = generator.step(state, speech)
    assert motion is not None
    yaw = layout.unpack(motion).yaw
    assert abs(yaw[0] + 12) < 1.5
    assert abs(yaw.mean() + 12) < 5
    assert 0.3 < yaw.std() < 5


def test_emotion_shows_and_scales(generator: StarterMotionGenerator, speech: np.ndarray) -> None:
    def smile(intensity: float) -> float:
        wish = MotionSettings(emotion="happy", emotion_intensity=intensity)
        amounts = semantics.decode(run(generator, [speech[:100]], wish)[50:, layout.EXPRESSION])
        return float(amounts[:, semantics.control_index("mouthSmile")].mean())

    assert smile(0) < 0.1 < smile(0.5) < smile(1)
    assert smile(1) > 0.4


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("emotion", MotionSettings(emotion="bored")),
        ("emotion_intensity", MotionSettings(emotion=EMOTIONS[0], emotion_intensity=1.5)),
        ("sampling_steps", MotionSettings(sampling_steps=0)),
        ("sampling_steps", MotionSettings(sampling_steps=51)),
    ],
)
def test_bad_settings_name_their_field(
    generator: StarterMotionGenerator, field: str, wish: MotionSettings
) -> None:
    with pytest.raises(InvalidInputError) as error:
        generator.init_state(face(), wish)
    assert error.value.field == field


def test_bad_features_are_refused(generator: StarterMotionGenerator) -> None:
    state = generator.init_state(face(), MotionSettings())
    with pytest.raises(InvalidInputError):
        generator.step(state, np.zeros((3, 10), np.float32))
    with pytest.raises(InvalidInputError):
        generator.step(state, np.full((3, 770), np.nan, np.float32))


def test_one_bad_feature_leaves_the_state_usable(
    generator: StarterMotionGenerator, speech: np.ndarray
) -> None:
    state = generator.init_state(face(), MotionSettings())
    with pytest.raises(InvalidInputError):
        generator.step(state, np.full((5, 770), np.inf, np.float32))
    _, motion = generator.step(replace(state), speech[:5])
    assert motion is not None
    assert np.isfinite(motion).all()


def test_nothing_drifts_in_three_minutes(
    generator: StarterMotionGenerator, speech: np.ndarray
) -> None:
    motion = run(generator, [np.tile(speech, (18, 1))])
    amounts = semantics.decode(motion[:, layout.EXPRESSION])
    pose = layout.unpack(motion)
    curves = np.column_stack([amounts, pose.pitch / 10, pose.yaw / 10, pose.roll / 10])
    first, last = curves[:1500].mean(0), curves[-1500:].mean(0)
    assert np.abs(last - first).max() < 0.1


def test_the_joints_of_segments_cannot_be_told(spoken: np.ndarray) -> None:
    curves = [lip_gap(spoken), *layout.unpack(spoken).exp.T[[57, 58]]]
    for curve in curves:
        speed = np.abs(np.diff(curve))
        border = np.arange(1, len(curve)) % 5 == 0
        assert speed[border].mean() < 1.2 * speed[~border].mean() + 1e-6
