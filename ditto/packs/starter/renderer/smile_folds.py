"""The folds from nose to mouth corners that a smile deepens, as a shade over the texture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.packs.starter.renderer.curves import smooth_row, smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.texture import SCALE, texture_box, to_texture

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_RIGHT_NOSE_WING, _LEFT_NOSE_WING = 129, 358
_OUTWARDS_MM = 11.0
"""Where a fold ends, beside the mouth's corner."""
_BULGE_MM = 3.0
_WIDTH_MM = 2.4
FOLD_DEPTH = 0.15
"""Darkening at the fold's bottom at a full smile."""


def fold_shade(face: FaceGeometry) -> tuple[tuple[int, int], Image]:
    """Texture corner x, y and the shade (h, w), 255 at the bottom of a fold."""
    rows = [
        _fold_line(face, _RIGHT_NOSE_WING, topo.RIGHT_MOUTH_CORNER, -1.0),
        _fold_line(face, _LEFT_NOSE_WING, topo.LEFT_MOUTH_CORNER, 1.0),
    ]
    points = np.concatenate(rows)
    margin = 8 * face.mm
    x0, y0, x1, y1 = texture_box(points.min(0) - margin, points.max(0) + margin)
    shade = np.zeros((y1 - y0, x1 - x0), np.float32)
    for row in rows:
        shade = np.maximum(shade, _one_fold(row, (x0, y0, x1, y1), face.mm * SCALE))
    return (x0, y0), (255 * shade).astype(np.uint8)


def _fold_line(face: FaceGeometry, wing: int, corner: int, outwards: float) -> Array:
    """(N, 2) from the nose's wing, bulging outwards, to beside the mouth's corner."""
    across, down = face.to_pixels[0] * outwards, face.to_pixels[1]
    start = face.xy[wing] + 1.5 * across
    end = face.xy[corner] + _OUTWARDS_MM * across + 3 * down
    bulge = _BULGE_MM * (across - 0.5 * down)
    inner = [start + (end - start) * s + bulge * 4 * s * (1 - s) for s in (0.33, 0.66)]
    return smooth_row(np.stack([start, *inner, end]), 8)


def _one_fold(row: Array, box: tuple[int, int, int, int], mm: float) -> Array:
    """A soft line, strongest in its upper half, without ends."""
    x0, y0, x1, y1 = box
    line = np.full((y1 - y0, x1 - x0), 255, np.uint8)
    corners = np.round((to_texture(row) - [x0, y0]) * 16).astype(np.int32)
    cv2.polylines(line, [corners], False, 0, 1, cv2.LINE_8, 4)
    away = cv2.distanceTransform(line, cv2.DIST_L2, 5) / mm
    height = np.arange(y0, y1, dtype=np.float32)[:, None]
    ends = to_texture(row[[0, -1]])[:, 1]
    along = (height - ends[0]) / (ends[1] - ends[0])
    fade = smoothstep(-0.1, 0.3, along) * smoothstep(1.15, 0.6, along)
    return np.asarray(np.exp(-((away / _WIDTH_MM) ** 2)) * fade, np.float32)
