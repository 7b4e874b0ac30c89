"""Few-step deterministic sampling for streamed segments, in numpy.

A cosine schedule over time t in [0, 1]: ``x_t = cos(pi t / 2) x0 + sin(pi t / 2) noise``.
Noise is a function of (seed, absolute frame) alone: not of chunking, batching or replays.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Denoise = Callable[[Array, float], Array]
"""Predicts x0 of (noisy motion, t)."""

SEAM_WEIGHTS = np.array([0.15, 0.05, 0.02], np.float32)
"""How much of a seam's misfit is taken out of a segment's first frames."""


def keyed_noise(seed: int, first_frame: int, frames: int, width: int) -> Array:
    """Standard normal noise (frames, width) of absolute frames."""
    rows = []
    for frame in range(first_frame, first_frame + frames):
        key = np.array([seed % 2**64, frame % 2**64], np.uint64)
        generator = np.random.Generator(np.random.Philox(key=key))
        rows.append(generator.standard_normal(width, np.float32))
    return np.stack(rows)


def sample(denoise: Denoise, noise: Array, steps: int) -> Array:
    """x0 from noise of the same shape in ``steps`` equal steps of DDIM with eta 0."""
    times = np.linspace(1, 0, steps + 1)
    x = noise
    for t, after in pairwise(times):
        clean = denoise(x, float(t))
        direction = (x - _keep(t) * clean) / _mix(t)
        x = np.asarray(_keep(after) * clean + _mix(after) * direction, np.float32)
    return x


def soften_seam(shown: Array, segment: Array, strength: Array) -> Array:
    """A segment (..., N, C) whose start bends towards where the shown frames (..., P, C) point.

    Independent samples meet at a step in speed; shifting the first frames by a share of the misfit
    against half-damped extrapolation takes the step away and leaves the rest as sampled. strength
    (C,) multiplies the share of each coordinate.
    """
    last, before = shown[..., -1, :], shown[..., -2, :]
    misfit = last + (last - before) / 2 - segment[..., 0, :]
    bent = segment.copy()
    bent[..., : len(SEAM_WEIGHTS), :] += SEAM_WEIGHTS[:, None] * strength * misfit[..., None, :]
    return bent


def _keep(t: float) -> np.float32:
    return np.float32(np.cos(np.pi * t / 2))


def _mix(t: float) -> np.float32:
    return np.float32(np.sin(np.pi * t / 2))
