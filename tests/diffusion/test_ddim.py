"""The cosine schedule, the DDIM sampler and its noise, against golden numbers and theory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.ddim_noise import SharedStepNoise, seeded_noise
from ditto.diffusion.schedule import (
    alphas_cumprod,
    cosine_betas,
    ddim_schedule,
    noise_and_direction,
    time_pairs,
)
from tests.golden.logic import SMALL, arrays, table

Array = NDArray[np.float32]


def test_betas_and_signal_shares() -> None:
    golden = arrays(SMALL, "lmdm_schedule")
    np.testing.assert_allclose(cosine_betas(), golden["betas_float64"], atol=1e-15)
    np.testing.assert_array_equal(alphas_cumprod(), golden["alphas_cumprod"])


def test_time_pairs() -> None:
    for steps, pairs in table(SMALL, "lmdm_time_pairs").items():
        assert [list(pair) for pair in time_pairs(int(steps))] == pairs


@pytest.mark.parametrize("steps", [5, 8, 10, 25, 50])
def test_coefficients(steps: int) -> None:
    golden, shares = arrays(SMALL, "lmdm_schedule"), alphas_cumprod()
    pairs = time_pairs(steps)[:-1]
    got = [noise_and_direction(float(shares[now]), float(shares[then])) for now, then in pairs]
    sigma, direction = np.array(got).T
    np.testing.assert_allclose(sigma, golden[f"S{steps}.sigma_exact_f64"], rtol=1e-12)
    np.testing.assert_allclose(direction, golden[f"S{steps}.c_exact_f64"], atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 100, 1000])
def test_no_step_count_gives_nan(steps: int) -> None:
    numbers = [(s.from_x, s.from_clean, s.sigma) for s in ddim_schedule(steps)]
    assert np.isfinite(numbers).all()


def test_a_perfect_denoiser_is_believed() -> None:
    clean = np.full((1, 4, 3), 0.7, np.float32)
    noise = np.random.default_rng(0).standard_normal((10, 1, 4, 3), np.float32)
    got = sample_ddim(lambda x, _: clean, noise[0], list(noise[1:]), ddim_schedule(10))
    np.testing.assert_array_equal(got, clean)


def test_intermediate_motion_has_the_schedules_noise_level() -> None:
    """With x0 = 0 known, x keeps the variance 1 - a that the forward process has."""
    schedule, seen = ddim_schedule(10), []

    def denoise(x: Array, index: int) -> Array:
        seen.append((float(x.std()), schedule[index].time))
        return np.zeros_like(x)

    noise = np.random.default_rng(0).standard_normal((10, 1, 80, 265), np.float32)
    sample_ddim(denoise, noise[0], list(noise[1:]), schedule)
    for spread, time in seen:
        assert spread == pytest.approx(np.sqrt(1 - alphas_cumprod()[time]), rel=0.02)


def test_numpy_and_torch_agree() -> None:
    noise = np.random.default_rng(0).standard_normal((8, 1, 4, 3), np.float32)
    schedule = ddim_schedule(8)
    got = sample_ddim(lambda x, _: np.tanh(x), noise[0], list(noise[1:]), schedule)
    tensors = torch.from_numpy(noise)
    same = sample_ddim(lambda x, _: torch.tanh(x), tensors[0], list(tensors[1:]), schedule)
    np.testing.assert_allclose(got, same.numpy(), atol=1e-6)


def test_seeded_noise_depends_on_seed_and_absolute_frame_alone() -> None:
    early, late = seeded_noise(7, -70, 80, 265, 10), seeded_noise(7, -60, 80, 265, 10)
    np.testing.assert_array_equal(early.initial[:, 10:], late.initial[:, :70])
    np.testing.assert_array_equal(early.steps[:, :, 10:], late.steps[:, :, :70])
    assert early.initial.shape == (1, 80, 265)
    assert early.steps.shape == (9, 1, 80, 265)
    assert not np.allclose(early.initial, seeded_noise(8, -70, 80, 265, 10).initial)
    assert np.concatenate([early.initial, *early.steps]).std() == pytest.approx(1, abs=0.01)


def test_shared_step_noise_serves_every_segment() -> None:
    source = SharedStepNoise(frames=80, motion_dim=265, seed=0)
    first, second = source.next_segment(10), source.next_segment(10)
    np.testing.assert_array_equal(first.steps, second.steps)
    assert not np.allclose(first.initial, second.initial)
    assert source.next_segment(5).steps.shape == (4, 1, 80, 265)
    assert not np.allclose(source.next_segment(10).steps, first.steps)
