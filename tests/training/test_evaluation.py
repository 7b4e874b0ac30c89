"""The measures: known answers on made-up curves."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.packs.starter import coordinates
from ditto.training.evaluation import lip_sync, liveliness
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
    assert lip_sync.area_under_curve(np.arange(100.0), positive) == 1
    assert lip_sync.area_under_curve(-np.arange(100.0), positive) == 0
    assert abs(lip_sync.area_under_curve(RNG.normal(size=100), positive) - 0.5) < 0.2


def test_seams_are_told_from_smooth_motion() -> None:
    smooth = np.linspace(0, 1, 101)[:, None].repeat(coordinates.COUNT, 1)
    stepped = smooth + (np.arange(101) // 5 % 2)[:, None]
    assert liveliness.seam_ratio(smooth, 5, [0, 1]) == pytest.approx(1)
    assert liveliness.seam_ratio(stepped, 5, [0, 1]) > 10


def test_coordinates_survive_the_lift() -> None:
    written = RNG.uniform(0, 0.9, (6, coordinates.COUNT)).astype(np.float32)
    frames = coordinates.lift(written, NEUTRAL_FACE.reference_motion)
    np.testing.assert_allclose(to_coordinates(frames), written, atol=2e-3)
