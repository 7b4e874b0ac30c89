"""The cosine noise schedule and its subsampling for DDIM with eta 1 (paper 3.2; Song et al. 2021).

Coefficients are float64 numbers made from the float32 cumulative products that the networks were
trained with: evaluated in float32, one radicand of about 1e-8 turns negative at some step counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

TIMESTEPS = 1000
COSINE_OFFSET = 0.008
LARGEST_BETA = 0.999


@dataclass(frozen=True)
class DdimStep:
    """One step: ``x = from_x * x + from_clean * x0 + sigma * z``."""

    time: int
    """Timestep the network is asked at."""
    from_x: float
    from_clean: float
    sigma: float
    """0 on the last step, which takes no noise."""


@lru_cache(maxsize=1)
def cosine_betas() -> NDArray[np.float64]:
    """Noise added at each timestep, (1000,)."""
    level = (np.arange(TIMESTEPS + 1) / TIMESTEPS + COSINE_OFFSET) / (1 + COSINE_OFFSET)
    signal: NDArray[np.float64] = np.cos(level * np.pi / 2) ** 2
    return np.minimum(1 - signal[1:] / signal[:-1], LARGEST_BETA)


@lru_cache(maxsize=1)
def alphas_cumprod() -> NDArray[np.float32]:
    """Share of signal left at each timestep, (1000,): float32 factors, accumulated in float64."""
    alphas = np.float32(1) - cosine_betas().astype(np.float32)
    return np.cumprod(alphas, dtype=np.float64).astype(np.float32)


def time_pairs(steps: int) -> list[tuple[int, int]]:
    """(time, next time) of each step; the last next time is -1, the clean end."""
    assert 1 <= steps <= TIMESTEPS, f"steps must be 1 to {TIMESTEPS}, got {steps}"
    times = np.linspace(-1, TIMESTEPS - 1, steps + 1).astype(int)[::-1].tolist()
    return list(pairwise(times))


@lru_cache(maxsize=64)
def ddim_schedule(steps: int) -> tuple[DdimStep, ...]:
    """The steps of a sampling in `steps` network evaluations."""
    return tuple(_step(time, after) for time, after in time_pairs(steps))


def _step(time: int, after: int) -> DdimStep:
    if after < 0:
        return DdimStep(time, from_x=0.0, from_clean=1.0, sigma=0.0)
    now, then = (float(alphas_cumprod()[index]) for index in (time, after))
    sigma, direction = noise_and_direction(now, then)
    # eps = x / sqrt(1 - now) - x0 / sqrt(1 / now - 1)
    return DdimStep(
        time,
        from_x=direction / np.sqrt(1 - now),
        from_clean=np.sqrt(then) - direction / np.sqrt(1 / now - 1),
        sigma=sigma,
    )


def noise_and_direction(now: float, then: float) -> tuple[float, float]:
    """Sigma and the weight of the predicted noise, between two signal shares."""
    sigma = float(np.sqrt((1 - now / then) * (1 - then) / (1 - now)))
    return sigma, float(np.sqrt(max(1 - then - sigma**2, 0.0)))
