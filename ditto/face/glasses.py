"""A cheap look for glasses: a frame draws level edges over the nose bridge and the temples."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.head import measure_head
from ditto.face.network import Array
from ditto.face.sampling import blur
from ditto.face.topology import (
    LEFT_EYE_UPPER,
    NOSE_BRIDGE,
    RIGHT_CHEEK,
    RIGHT_EYE_UPPER,
)

Image = NDArray[np.uint8]

_BRIDGE_END = 197
_RIGHT_TEMPLE, _LEFT_TEMPLE = 127, 356
_BRIDGE_EDGE, _TEMPLE_EDGE = 0.03, 0.068
"""Vertical gradient over skin brightness from which an edge counts; rimless ones stay below."""


def wears_glasses(view: Image, points: Array) -> bool:
    """Whether an upright HEAD view (S, S, 3) with the mesh ``points`` (478, 3) shows glasses."""
    mm = measure_head(points).pixels_per_mm
    xy = points[:, :2]
    grey = blur(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32), 1.0)
    cheek = xy[list(RIGHT_CHEEK)].round().astype(int).clip(0, view.shape[0] - 1)
    skin = max(float(np.median(grey[cheek[:, 1], cheek[:, 0]])), 20.0)
    level = np.asarray(np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / (8 * skin), np.float32)

    right_inner, left_inner = xy[RIGHT_EYE_UPPER[-1]], xy[LEFT_EYE_UPPER[0]]
    middle = (right_inner[0] + left_inner[0]) / 2
    half = 0.3 * (left_inner[0] - right_inner[0])
    top, bottom = xy[NOSE_BRIDGE, 1] - 4 * mm, xy[_BRIDGE_END, 1]
    if _strongest(level, middle - half, top, middle + half, bottom) < _BRIDGE_EDGE:
        return False
    temples = []
    for corner, temple in ((RIGHT_EYE_UPPER[0], _RIGHT_TEMPLE), (LEFT_EYE_UPPER[-1], _LEFT_TEMPLE)):
        start, end = sorted((xy[corner, 0], xy[temple, 0]))
        width, y = end - start, xy[corner, 1]
        temples.append(
            _strongest(level, start + 0.2 * width, y - 12 * mm, end - 0.2 * width, y + 6 * mm)
        )
    return max(temples) > _TEMPLE_EDGE


def _strongest(level: Array, x0: float, y0: float, x1: float, y1: float) -> float:
    """Mean of the three strongest rows of a box; 0 for an empty one."""
    box = level[max(int(y0), 0) : max(int(y1), 0), max(int(x0), 0) : max(int(x1), int(x0) + 3, 0)]
    if box.size == 0:
        return 0.0
    return float(np.sort(box.mean(1))[-3:].mean())
