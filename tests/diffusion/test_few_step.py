"""Few-step sampling: noise keyed by frame, exact limits, and seams taken out."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.diffusion.few_step import keyed_noise, sample, soften_seam


def test_noise_belongs_to_the_frame_and_the_seed() -> None:
    whole = keyed_noise(7, 0, 20, 23)
    pieces = [keyed_noise(7, start, 5, 23) for start in (0, 5, 10, 15)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))
    assert not np.array_equal(whole, keyed_noise(8, 0, 20, 23))
    assert abs(keyed_noise(1, 0, 400, 23).std() - 1) < 0.02


@pytest.mark.parametrize("steps", [1, 2, 5, 10])
def test_a_perfect_denoiser_is_followed_exactly(steps: int) -> None:
    clean = np.linspace(-1, 1, 10, dtype=np.float32)[None]
    noise = keyed_noise(0, 0, 1, 10)
    times = []

    def denoise(noisy: np.ndarray, t: float) -> np.ndarray:
        times.append(t)
        return clean

    np.testing.assert_allclose(sample(denoise, noise, steps), clean, atol=1e-6)
    assert times[0] == 1
    assert times == sorted(times, reverse=True)
    assert len(times) == steps


def test_more_steps_approach_the_spread_of_the_data() -> None:
    """For unit-variance Gaussian data the best guess at x0 shrinks noise; steps undo that."""

    def denoise(noisy: np.ndarray, t: float) -> np.ndarray:
        return np.float32(np.cos(np.pi * t / 2)) * noisy

    noise = keyed_noise(0, 0, 200, 23)
    spreads = [sample(denoise, noise, steps).std() for steps in (1, 2, 10)]
    assert spreads == sorted(spreads)
    assert spreads[-1] > 0.85


def test_seam_softening_bends_only_the_start() -> None:
    shown = np.zeros((1, 4, 2), np.float32)
    segment = np.ones((1, 5, 2), np.float32)
    bent = soften_seam(shown, segment, np.array([1, 2]))
    assert (bent[:, 0] < 0.9).all()
    assert (bent[:, 0, 1] < bent[:, 0, 0] - 0.1).all()
    np.testing.assert_array_equal(bent[:, 3:], segment[:, 3:])
    np.testing.assert_array_equal(segment, 1)


def test_a_straight_continuation_is_left_alone() -> None:
    still = np.full((1, 9, 3), 0.4, np.float32)
    np.testing.assert_allclose(soften_seam(still[:, :4], still[:, 4:], np.ones(3)), still[:, 4:])
