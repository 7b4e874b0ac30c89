"""Which samples each frame averages, against the golden file; streamed equals whole.

The stand-in encoder returns, for token t, the sample at 320 t of its window.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.errors import InvalidInputError
from ditto.streaming import audio_units
from ditto.streaming.audio_units import AudioUnits, UnitState
from tests.golden.logic import arrays, cases, largest_error

REFERENCE = AudioUnits(keep_reference_count=True)
ALIGNED = AudioUnits(lead_samples=2000)


def _encode(window: np.ndarray) -> np.ndarray:
    assert len(window) == 6480
    return window[:6400:320, None]


def _ramp(samples: int) -> np.ndarray:
    return np.arange(1, samples + 1, dtype=np.float32)


def _stream(audio: np.ndarray, units: AudioUnits, chunk: int) -> np.ndarray:
    state, parts = audio_units.init_state(units), []
    for first in range(0, len(audio), chunk):
        state, part = audio_units.step(state, audio[first : first + chunk], _encode, units)
        assert len(state.samples) < 6480
        parts.append(part)
    parts.append(audio_units.flush(state, _encode, units)[1])
    rows = [part for part in parts if part is not None]
    return np.concatenate(rows) if rows else np.empty((0, 1), np.float32)


@pytest.mark.parametrize(("folder", "case"), cases("logic_wav2feat"))
def test_golden(folder: Path, case: dict[str, Any]) -> None:
    audio = _ramp(case["samples"])
    if case["mode"] == "offline":
        features = audio_units.encode_offline(audio, _encode, AudioUnits())
    else:
        features = _stream(audio, REFERENCE, 777)
        assert audio_units.frame_count(len(audio)) == case["num_f"]
        assert len(features) == 5 * case["chunks"]
    golden = arrays(folder, "logic_wav2feat")[f"{case['mode']}.{case['samples']}"]
    assert largest_error(features[:, 0], golden) == 0


@given(samples=st.integers(1, 30_000), chunk=st.integers(1, 9_000))
def test_streamed_equals_whole_at_the_aligned_lead(samples: int, chunk: int) -> None:
    audio = _ramp(samples)
    whole = audio_units.encode_offline(audio, _encode, AudioUnits())
    assert len(whole) == -(-samples // 640)
    np.testing.assert_array_equal(_stream(audio, ALIGNED, max(chunk, samples // 50)), whole)


def test_the_default_lead_is_five_milliseconds_late() -> None:
    audio = _ramp(16_000)
    streamed, whole = _stream(audio, AudioUnits(), 500), _stream(audio, ALIGNED, 500)
    np.testing.assert_array_equal(streamed[1:20] - whole[1:20], 80)


@pytest.mark.parametrize(("overlap", "seconds"), [(60, 1.685), (70, 0.885), (75, 0.485)])
def test_speech_needed_for_the_first_two_segments(overlap: int, seconds: float) -> None:
    assert AudioUnits().samples_for(2 * (80 - overlap)) == seconds * 16_000


def test_first_features_wait_for_the_stated_look_ahead() -> None:
    units = AudioUnits()
    enough = units.samples_for(5)
    state, early = audio_units.step(
        audio_units.init_state(units), _ramp(enough - 1), _encode, units
    )
    assert early is None
    _, features = audio_units.step(state, _ramp(1), _encode, units)
    assert features is not None
    assert len(features) == 5


def test_no_future_frames_keep_the_last_tokens() -> None:
    units = AudioUnits(future_frames=0)
    tokens = np.arange(16, dtype=np.float32)[:, None]
    features = audio_units.valid_features(tokens, units)
    np.testing.assert_array_equal(features[:, 0], [6.5, 8.5, 10.5, 12.5, 14.5])


def test_nothing_said_gives_nothing() -> None:
    state: UnitState = audio_units.init_state(AudioUnits())
    assert audio_units.flush(state, _encode, AudioUnits())[1] is None


def test_silence_fills_a_buffer_exactly() -> None:
    assert audio_units.silence_features(70, _encode, AudioUnits()).shape == (70, 1)


def test_misuse_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        AudioUnits(valid_frames=0)
    with pytest.raises(InvalidInputError, match="audio"):
        audio_units.encode_offline(np.zeros(0, np.float32), _encode, AudioUnits())
    with pytest.raises(InvalidInputError, match="samples"):
        audio_units.push(audio_units.init_state(AudioUnits()), np.zeros((2, 3), np.float32))
