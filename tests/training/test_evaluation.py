"""The measures: known answers on made-up curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ditto.errors import CorruptDataError
from ditto.media.mp4_file import write_mp4
from ditto.packs.starter import coordinates
from ditto.training.evaluation import alignment, lip_sync, liveliness, talking_video
from ditto.training.evaluation.generate import NEUTRAL_FACE, to_coordinates

RNG = np.random.default_rng(0)
CURVE = np.convolve(RNG.normal(size=300), np.ones(5), "same").astype(np.float32)


def test_correlation_peaks_at_the_true_lag() -> None:
    late = np.roll(CURVE, 2)
    by_lag = {lag: lip_sync.correlation(CURVE, late, lag) for lag in range(-3, 4)}
    assert max(by_lag, key=by_lag.__getitem__) == 2
    assert by_lag[2] == pytest.approx(1, abs=1e-5)


def test_chance_is_far_below_a_match() -> None:
    curves = [np.roll(CURVE, shift) for shift in (0, 70, 140)]
    assert abs(lip_sync.chance(curves, curves)) < 0.3


def test_area_under_curve_at_its_limits() -> None:
    positive = np.arange(100) < 20
    assert lip_sync.area_under_curve(np.arange(100, dtype=np.float32), positive) == 1
    assert lip_sync.area_under_curve(-np.arange(100, dtype=np.float32), positive) == 0
    assert (
        abs(lip_sync.area_under_curve(RNG.normal(size=100).astype(np.float32), positive) - 0.5)
        < 0.2
    )


def test_seams_are_told_from_smooth_motion() -> None:
    smooth = np.linspace(0, 1, 101, dtype=np.float32)[:, None].repeat(coordinates.COUNT, 1)
    stepped = smooth + (np.arange(101) // 5 % 2)[:, None].astype(np.float32)
    assert liveliness.seam_ratio(smooth, 5, [0, 1]) == pytest.approx(1)
    assert liveliness.seam_ratio(stepped, 5, [0, 1]) > 10


def test_coordinates_survive_the_lift() -> None:
    written = RNG.uniform(0, 0.9, (6, coordinates.COUNT)).astype(np.float32)
    frames = coordinates.lift(written, NEUTRAL_FACE.reference_motion)
    np.testing.assert_allclose(to_coordinates(frames), written, atol=2e-3)


def test_a_curve_that_does_not_move_scores_nothing() -> None:
    still = np.ones(300, np.float32)
    assert lip_sync.correlation(still, CURVE) == 0
    assert lip_sync.area_under_curve(still, np.arange(300) < 20) == pytest.approx(0.5)


def test_warping_finds_what_was_stretched() -> None:
    spoken = RNG.normal(size=(60, 16))
    spoken /= np.linalg.norm(spoken, axis=1, keepdims=True)
    rows = np.concatenate([np.arange(30), np.repeat(np.arange(30, 60), 2)])  # the end, half as fast
    path, cost = alignment.warp((1 - spoken[rows] @ spoken.T).astype(np.float32))
    at = dict(path[:, ::-1])
    assert all(abs(rows[at[column]] - column) <= 1 for column in range(60))
    other = RNG.normal(size=(90, 16))
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    assert alignment.warp((1 - other @ spoken.T).astype(np.float32))[1] > 5 * cost


def test_a_video_is_read_at_25_frames_a_second_with_its_sound(tmp_path: Path) -> None:
    pictures = [np.full((64, 64, 3), 5 * n, np.uint8) for n in range(40)]
    sound = RNG.normal(0, 0.1, 40 * 640).astype(np.float32)
    write_mp4(tmp_path / "x.mp4", pictures, sound)
    data = (tmp_path / "x.mp4").read_bytes()
    means = [float(image.mean()) for image in talking_video.frames(data)]
    np.testing.assert_allclose(means, np.arange(40) * 5, atol=3)
    assert len(list(talking_video.frames(tmp_path / "x.mp4", seconds=1))) == 25
    heard = talking_video.speech(tmp_path / "x.mp4")
    assert len(heard) == pytest.approx(len(sound), abs=1100)
    with pytest.raises(CorruptDataError):
        list(talking_video.frames(b"no video"))
