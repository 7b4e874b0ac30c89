"""The starter's audio encoder, real weights: causal, cut-proof, private, exact at the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto import packs
from ditto.errors import InvalidInputError
from ditto.packs.starter.audio_encoder import AudioState, WhisperAudioEncoder
from ditto.streaming.checkpoint import dump_state, load_state

FRAME_SAMPLES = 640
FEATURES = 770


@pytest.fixture(scope="module")
def encoder() -> WhisperAudioEncoder:
    loaded = packs.load("starter").audio_encoder()
    assert isinstance(loaded, WhisperAudioEncoder)
    return loaded


def voice(samples: int, seed: int = 0) -> np.ndarray:
    """A buzz with moving formants and pauses: enough like speech to excite every band."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / 16_000
    pitch = 120 + 30 * np.sin(2 * np.pi * (1 + seed) * time)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / 16_000)) + 0.3 * rng.standard_normal(
        samples
    )
    level = np.maximum(0, np.sin(2 * np.pi * (2.3 + seed / 3) * time))
    return (0.2 * buzz * level).astype(np.float32)


def encode(encoder: WhisperAudioEncoder, chunks: list[np.ndarray]) -> np.ndarray:
    state, out = encoder.init_state(), []
    for chunk in chunks:
        state, features = encoder.step(state, chunk)
        out.append(features)
    out.append(encoder.flush(state)[1])
    found = [features for features in out if features is not None]
    return np.concatenate(found) if found else np.zeros((0, FEATURES), np.float32)


SPEECH = voice(21_000)


@pytest.fixture(scope="module")
def whole(encoder: WhisperAudioEncoder) -> np.ndarray:
    return encode(encoder, [SPEECH])


def test_constants_fit_the_manifest(encoder: WhisperAudioEncoder) -> None:
    manifest = packs.load("starter").manifest
    assert encoder.sample_rate_hz == manifest.sample_rate_hz == 16_000
    assert encoder.frame_rate == manifest.frame_rate == 25
    assert encoder.feature_dim == manifest.feature_dim == FEATURES
    assert encoder.hop_frames == manifest.hop_frames == 5
    assert encoder.look_ahead_samples == manifest.look_ahead_ms * 16 == 1_280


def test_a_unit_comes_as_soon_as_its_look_ahead_is_there(encoder: WhisperAudioEncoder) -> None:
    state, features = encoder.step(encoder.init_state(), SPEECH[:4_479])
    assert features is None
    state, features = encoder.step(state, SPEECH[4_479:4_480])
    assert features is not None
    assert features.shape == (5, FEATURES)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, len(SPEECH)), max_size=12))
def test_streamed_equals_whole(
    encoder: WhisperAudioEncoder, whole: np.ndarray, cuts: list[int]
) -> None:
    np.testing.assert_array_equal(encode(encoder, np.split(SPEECH, sorted(cuts))), whole)


@pytest.mark.parametrize("frame", [0, 4, 5, 12, 24])
def test_features_depend_on_nothing_after_the_look_ahead(
    encoder: WhisperAudioEncoder, whole: np.ndarray, frame: int
) -> None:
    unit_end = (frame // 5 + 1) * 5 * FRAME_SAMPLES
    changed = SPEECH.copy()
    changed[unit_end + 1_280 :] = voice(len(SPEECH), seed=3)[unit_end + 1_280 :]
    np.testing.assert_array_equal(encode(encoder, [changed])[frame], whole[frame])
    changed[unit_end + 1_200 : unit_end + 1_280] += 0.3
    assert not np.array_equal(encode(encoder, [changed])[frame], whole[frame])


def test_features_depend_on_nothing_before_their_second(
    encoder: WhisperAudioEncoder, whole: np.ndarray
) -> None:
    changed = SPEECH.copy()
    changed[: 6 * 3_200 + 1_280 - 16_000] = 0.1
    np.testing.assert_array_equal(encode(encoder, [changed])[25:30], whole[25:30])


@pytest.mark.parametrize("samples", [0, 1, 639, 640, 641, 3_200, 4_479, 4_480, 6_401, 21_000])
def test_flush_makes_one_frame_of_every_40_ms_begun(
    encoder: WhisperAudioEncoder, samples: int
) -> None:
    assert len(encode(encoder, [SPEECH[:samples]])) == -(-samples // FRAME_SAMPLES)


def test_after_flush_a_new_speech_starts_afresh(
    encoder: WhisperAudioEncoder, whole: np.ndarray
) -> None:
    state, _ = encoder.step(encoder.init_state(), voice(9_000, seed=5))
    state, _ = encoder.flush(state)
    state, first = encoder.step(state, SPEECH)
    assert first is not None
    np.testing.assert_array_equal(first, whole[: len(first)])


def test_two_calls_never_mix(encoder: WhisperAudioEncoder, whole: np.ndarray) -> None:
    other = voice(21_000, seed=2)
    alone = encode(encoder, [other])
    states = [encoder.init_state(), encoder.init_state()]
    out: list[list[np.ndarray]] = [[], []]
    for start in range(0, 21_000, 1_700):
        for i, speech in enumerate((SPEECH, other)):
            states[i], features = encoder.step(states[i], speech[start : start + 1_700])
            out[i] += [] if features is None else [features]
    for i, expected in enumerate((whole, alone)):
        joined = np.concatenate([*out[i], encoder.flush(states[i])[1]])
        np.testing.assert_array_equal(joined, expected)


def test_batched_equals_alone(encoder: WhisperAudioEncoder, whole: np.ndarray) -> None:
    speeches = [SPEECH, voice(9_000, seed=1), voice(3_000, seed=2), voice(20_000, seed=4) * 30]
    batched = encoder.step_many([encoder.init_state()] * 4, speeches)
    for speech, (state, features) in zip(speeches, batched, strict=True):
        expected_state, expected = encoder.step(encoder.init_state(), speech)
        np.testing.assert_array_equal(state.recent, expected_state.recent)
        if expected is None:
            assert features is None
        else:
            assert features is not None
            np.testing.assert_allclose(features, expected, atol=2e-5)


def test_a_call_goes_on_from_its_checkpoint(
    encoder: WhisperAudioEncoder, whole: np.ndarray
) -> None:
    state, first = encoder.step(encoder.init_state(), SPEECH[:10_000])
    data = dump_state(state, "pack")
    assert len(data) < 70_000
    moved = load_state(data, AudioState, "pack")
    moved, second = encoder.step(moved, SPEECH[10_000:])
    _, rest = encoder.flush(moved)
    np.testing.assert_array_equal(np.concatenate([first, second, rest]), whole)


def test_state_stays_under_one_second(encoder: WhisperAudioEncoder) -> None:
    state = encoder.init_state()
    for start in range(0, len(SPEECH), 777):
        state, _ = encoder.step(state, SPEECH[start : start + 777])
        assert len(state.recent) < 16_000
        assert state.received_samples == min(start + 777, len(SPEECH))


@pytest.mark.parametrize(
    "samples", [np.zeros((2, 5), np.float32), np.array([0, np.nan], np.float32)]
)
def test_other_input_is_refused(encoder: WhisperAudioEncoder, samples: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="samples"):
        encoder.step(encoder.init_state(), samples)


def test_silence_and_full_scale_give_finite_features(encoder: WhisperAudioEncoder) -> None:
    for speech in (np.zeros(8_000, np.float32), np.sign(voice(8_000))):
        assert np.isfinite(encode(encoder, [speech])).all()
