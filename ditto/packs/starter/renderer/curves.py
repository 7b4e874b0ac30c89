"""Small curve tools: smooth steps, and curves through landmark rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]


def smoothstep(low: float, high: float, x: ArrayLike) -> Array:
    """0 at or below ``low``, 1 at or above ``high``, smooth between (``low`` > ``high`` falls)."""
    t = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def smooth_row(points: Array, per_segment: int = 6) -> Array:
    """A Catmull-Rom curve (M, 2) through the points (N, 2) of a landmark row."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    a, b, c, d = ends[:-3, None], ends[1:-2, None], ends[2:-1, None], ends[3:, None]
    t = np.linspace(0, 1, per_segment, endpoint=False)[None, :, None]
    curve = (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    ) / 2
    return np.concatenate([curve.reshape(-1, 2), points[-1:]]).astype(np.float32)


class RowAxis:
    """Coordinates along and across a landmark row: t from its middle, n downwards, in pixels."""

    def __init__(self, start: Array, end: Array) -> None:
        self.centre = ((start + end) / 2).astype(np.float32)
        self.half_width = float(np.linalg.norm(end - start) / 2)
        self.along = ((end - start) / (2 * self.half_width)).astype(np.float32)
        self.across = np.array([-self.along[1], self.along[0]], np.float32)

    def to_row(self, points: Array) -> Array:
        """Image points (..., 2) as (t, n)."""
        offset = points - self.centre
        return np.stack([offset @ self.along, offset @ self.across], axis=-1)

    def height_over(self, row: Array, points: Array) -> Array:
        """Signed distance n of points (..., 2) below the curve through ``row`` (N, 2)."""
        curve = self.to_row(smooth_row(row))
        order = np.argsort(curve[:, 0])
        place = self.to_row(points)
        level = np.interp(place[..., 0], curve[order, 0], curve[order, 1])
        return np.asarray(place[..., 1] - level, np.float32)
