"""The streaming speech stage with a tiny HuBERT: any chunks, exact counts, nothing shared."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.packs.ditto.audio_encoder import HubertAudioEncoder
from ditto.streaming.audio_units import UnitState
from ditto.streaming.checkpoint import dump_state, load_state


def encode(encoder: HubertAudioEncoder, speech: np.ndarray, sizes: list[int]) -> np.ndarray:
    state, parts, at = encoder.init_state(), [], 0
    while at < len(speech):
        size = sizes[len(parts) % len(sizes)]
        state, frames = encoder.step(state, speech[at : at + size])
        state = load_state(dump_state(state, "h"), UnitState, "h")
        parts.append(frames)
        at += size
    parts.append(encoder.flush(state)[1])
    return np.concatenate([part for part in parts if part is not None])


def test_the_stage_says_what_it_needs(encoder: HubertAudioEncoder) -> None:
    assert (encoder.sample_rate_hz, encoder.frame_rate, encoder.hop_frames) == (16_000, 25, 5)
    assert encoder.look_ahead_samples == 1360
    assert encoder.feature_dim == 32


@pytest.mark.parametrize("samples", [1, 640, 641, 3200, 16_000, 32_000])
def test_every_frame_of_speech_gets_features(
    encoder: HubertAudioEncoder, speech: np.ndarray, samples: int
) -> None:
    features = encode(encoder, speech[:samples], [3200])
    assert features.shape == (-(-samples // 640), encoder.feature_dim)


def test_features_do_not_depend_on_the_chunks(
    encoder: HubertAudioEncoder, speech: np.ndarray
) -> None:
    whole = encode(encoder, speech, [len(speech)])
    assert np.array_equal(encode(encoder, speech, [777, 31, 5000]), whole)


def test_a_frame_waits_for_its_look_ahead_and_no_longer(
    encoder: HubertAudioEncoder, speech: np.ndarray
) -> None:
    needed = 5 * 640 + encoder.look_ahead_samples
    state, early = encoder.step(encoder.init_state(), speech[: needed - 1])
    assert early is None
    state, frames = encoder.step(state, speech[needed - 1 : needed])
    assert frames is not None
    assert len(frames) == encoder.hop_frames


def test_speech_changes_its_own_features_and_none_before(
    encoder: HubertAudioEncoder, speech: np.ndarray
) -> None:
    changed = speech.copy()
    changed[16_000:] = 0
    before, after = (encode(encoder, sound, [3200]) for sound in (speech, changed))
    first_changed = np.flatnonzero(np.abs(before - after).max(axis=1))[0]
    assert 20 <= first_changed <= 25


def test_nothing_comes_of_nothing(encoder: HubertAudioEncoder) -> None:
    state, frames = encoder.step(encoder.init_state(), np.zeros(0, np.float32))
    assert frames is None
    assert encoder.flush(state)[1] is None


def test_broken_samples_are_refused(encoder: HubertAudioEncoder) -> None:
    for samples in (np.zeros((2, 2), np.float32), np.array([np.nan], np.float32)):
        with pytest.raises(InvalidInputError, match="samples"):
            encoder.step(encoder.init_state(), samples)
