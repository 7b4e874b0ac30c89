"""Playing a short source forward and backward for ever, and calming its own motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Indices = NDArray[np.int64]


def mirror_index(index: int | Indices, length: int) -> Indices:
    """Row of a ``length``-frame source for output ``index``: 0, .., n-1, n-1, .., 0, 0, 1, .."""
    position = np.mod(index, 2 * length)
    return np.asarray(np.minimum(position, 2 * length - 1 - position), np.int64)


def box_smooth(rows: Array, width: int) -> Array:
    """Rows (S, D) by a centred box filter whose window is clipped at both ends.

    The released code smooths a source video's motion and keypoints so, with a width of 13.
    """
    half = width // 2
    means = [rows[max(row - half, 0) : row + half + 1].mean(axis=0) for row in range(len(rows))]
    return np.stack(means)
