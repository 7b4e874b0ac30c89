"""Scattered values to a smooth field: multiquadric radial basis functions in the image plane."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Real = TypeVar("Real", NDArray[np.float32], NDArray[np.float64])

_SMOOTHING = 0.02
"""Ridge over the kernel's radius: forgives control points that nearly coincide."""


def _kernel(a: Real, b: Real, radius: float) -> Real:
    squared = (
        (a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * (a @ b.T)
    )  # (len(a), len(b)) from one product: three times faster than subtracting
    return np.asarray(-np.sqrt(np.maximum(squared, 0) + radius * radius), a.dtype)


def interpolate(points: Array, values: Array, queries: Array, radius: float = 6.0) -> Array:
    """Values (N, V) at points (N, 2) carried to queries (Q, 2) -> (Q, V).

    phi = -sqrt(r^2 + radius^2) and a constant; one factorisation serves all V columns.
    """
    count = len(points)
    origin = points.mean(0)  # keeps the products of `_kernel` small, float32 then suffices
    p, q = (points - origin).astype(np.float64), (queries - origin).astype(np.float32)
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = _kernel(p, p, radius)
    system[range(count), range(count)] += _SMOOTHING * radius
    system[count, count] = 0
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((1, values.shape[1]))]))
    weights = weights.astype(np.float32)
    spread = _kernel(q, p.astype(np.float32), radius) @ weights[:count] + weights[count]
    return np.asarray(spread, np.float32)
