"""Windows: aligned with serving units, at rest before a take starts, emotions faded in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ditto import packs
from ditto.packs.starter import coordinates
from ditto.training import features, speech_data, store
from ditto.training.dataset import Clip
from ditto.training.speech import takes
from ditto.training.windows import Windows, statistics


def test_windows_have_matching_shapes_and_repeat(clip: Clip) -> None:
    windows = Windows([clip], frames=40, block_frames=5)
    batch = windows.draw(6, np.random.default_rng(0))
    again = windows.draw(6, np.random.default_rng(0))
    assert batch.audio.shape == (6, 40, 24)
    assert batch.motion.shape == batch.steer.shape == (6, 40, coordinates.COUNT)
    assert batch.enhanced.shape == (6, 40, 79)
    np.testing.assert_array_equal(batch.motion, again.motion)


def test_before_a_take_nothing_is_heard_and_nothing_moves(clip: Clip) -> None:
    batch = Windows([clip], 40, 5).draw(200, np.random.default_rng(1))
    early = ~batch.heard
    assert early.any()
    assert (early.sum(1) % 5 == 0).all()
    assert not batch.motion[early].any()
    assert not batch.steer[early].any()
    assert (batch.enhanced[early][:, :2] == 1).all()


def test_lids_follow_the_eye_condition(clip: Clip) -> None:
    batch = Windows([clip], 40, 5).draw(100, np.random.default_rng(2))
    lids = batch.motion[..., coordinates.index("eyeBlinkLeft")]
    np.testing.assert_allclose(batch.enhanced[..., 0], 1 - lids, atol=1e-6)
    assert lids.max() > 0.9


def test_statistics_never_divide_by_less_than_the_floor(clip: Clip) -> None:
    mean, scale, calmness = statistics(Windows([clip], 40, 5), np.random.default_rng(0))
    assert mean.shape == scale.shape == (coordinates.COUNT,)
    assert (scale >= 0.004).all()
    assert calmness[coordinates.index("yaw")] > calmness[coordinates.index("mouthPress")] >= 1


def test_a_data_folder_is_built_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the voices, which need programs of their own: sounds that nobody speaks in."""
    encoder = packs.load("starter").audio_encoder()
    monkeypatch.setattr(takes, "TAKE_S", 1.0)
    monkeypatch.setattr(takes, "RECIPE", (takes.Portion("ambience", 0.01),))
    speech_data.build(tmp_path, encoder)
    monkeypatch.setattr(takes, "RECIPE", (*takes.RECIPE, takes.Portion("nonspeech", 0.01)))
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.np?")}
    speech_data.build(tmp_path, encoder)
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())
    clips = store.read_clips(tmp_path)
    assert [clip.name for clip in clips] == ["ambience-000", "nonspeech-000"]
    for clip in clips:
        assert clip.split == "train"
        assert not clip.speaking.any()
        assert not clip.face[:, :, coordinates.index("lipGap")].any()
        assert clip.sound is not None
        heard = features.stream(encoder, clip.sound.ravel().astype(np.float32) / np.float32(32768))
        np.testing.assert_allclose(clip.audio, heard, atol=0.05)
