"""A smooth colour surface through the clean part of a patch: what skin or white lies underneath."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_RIDGE = 2.0
_ROUNDS = 4


def _terms(place: Array, quadratic: bool) -> Array:
    x, y = place[..., 0], place[..., 1]
    terms = [np.ones_like(x), x, y]
    if quadratic:
        terms += [x * x, x * y, y * y]
    return np.stack(terms, axis=-1).astype(np.float32)


def fit_colours(place: Array, patch: Image, clean: Mask, quadratic: bool, dark: bool) -> Array:
    """(h, w, 3) surface over coordinates ``place`` (h, w, 2) of about unit size.

    Fitted to the ``clean`` pixels of the patch; pixels far off count ever less, where ``dark`` only
    those that are darker (lashes, hair), else only the lighter ones (glints).
    """
    terms = _terms(place, quadratic)
    colours = patch[clean].astype(np.float32)
    inputs = terms[clean]
    ridge = _RIDGE * np.diag([0.0] + [1.0] * (terms.shape[-1] - 1))
    weights = np.ones(len(inputs), np.float32)
    solution = np.zeros((terms.shape[-1], 3), np.float32)
    for _ in range(_ROUNDS):
        weighted = inputs * weights[:, None]
        solution = np.linalg.solve(
            weighted.T @ inputs + ridge + 1e-3 * np.eye(len(ridge)), weighted.T @ colours
        )
        error = (colours - inputs @ solution).mean(1) * (1 if dark else -1)
        spread = max(float(np.median(np.abs(error))), 1.0)
        weights = (1 / (1 + (np.maximum(-error, 0) / spread) ** 2)).astype(np.float32)
    low, high = np.percentile(colours, (3, 97), axis=0)
    return np.asarray(np.clip(terms @ solution, low, high), np.float32)
