"""Curves of a face from its mesh, in units that do not depend on the picture's size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.face.eye_state import eye_open
from ditto.face.head import measure_head
from ditto.face.topology import (
    CHIN,
    FOREHEAD,
    LOWER_LIP_MID,
    SKIN_POINTS,
    UPPER_LIP_MID,
)

Array = NDArray[np.float32]

FRAME_RATE = 25
CLOSED_GAP = 0.02
"""Lips count as closed up to this gap, in face heights."""
_BLINK_SHARE = 0.6
"""Lids below this share of their usual opening: a blink."""
_LONGEST_BLINK_FRAMES = 15


def face_height(points: Array) -> Array:
    """(T,) forehead to chin, in pixels, of meshes (T, 478, 3)."""
    return np.asarray(np.linalg.norm(points[:, FOREHEAD] - points[:, CHIN], axis=-1))


def lip_gap(points: Array) -> Array:
    """(T,) inner-lip distance in face heights."""
    gap = np.linalg.norm(points[:, UPPER_LIP_MID] - points[:, LOWER_LIP_MID], axis=-1)
    return np.asarray(gap / face_height(points), np.float32)


def head_angles(points: Array) -> Array:
    """(T, 3) pitch, yaw and roll in degrees."""
    return np.array([measure_head(mesh).angles_degrees() for mesh in points], np.float32)


def lid_opening(points: Array) -> Array:
    """(T,) openness of the more open eye over its own 80th percentile in the recording."""
    both = eye_open(points)
    return np.asarray((both / np.percentile(both, 80, axis=0)).max(1), np.float32)


def blinks(opening: Array) -> int:
    """Number of times that the lids fall and rise again within 0.6 s."""
    shut = np.concatenate([[False], opening < _BLINK_SHARE, [False]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(shut) == 1), np.flatnonzero(np.diff(shut) == -1)
    return int((ends - starts <= _LONGEST_BLINK_FRAMES).sum())


def head_energy(angles: Array) -> float:
    """Root mean square angular speed of the head in degrees a second, all three axes together."""
    speed = np.diff(_smooth(angles), axis=0) * FRAME_RATE
    return float(np.sqrt((speed**2).sum(1).mean()))


def landmark_jumps(points: Array) -> Array:
    """(T - 1,) the largest step of any skin landmark from frame to frame, in face heights."""
    flat = points[:, :SKIN_POINTS, :2]
    steps = np.linalg.norm(np.diff(flat, axis=0), axis=-1).max(1)
    return np.asarray(steps / np.median(face_height(points)), np.float32)


def landmark_jitter(points: Array) -> float:
    """Mean size of the landmarks' second difference, in face heights: trembling, not motion."""
    flat = points[:, :SKIN_POINTS, :2]
    bend = np.linalg.norm(np.diff(flat, n=2, axis=0), axis=-1).mean()
    return float(bend / np.median(face_height(points)))


def _smooth(curves: Array) -> Array:
    """(T, C) with the mesh's own noise taken off: means of three frames."""
    if len(curves) < 5:
        return curves
    return np.asarray((curves[:-2] + curves[1:-1] + curves[2:]) / 3)
