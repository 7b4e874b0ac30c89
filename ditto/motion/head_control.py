"""The head's pose under control: gain, offset, look-at, an absolute track, and hard limits.

T frames, V values of `ditto.motion.motion_control`. Angles (T, 3) are pitch, yaw, roll in degrees.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ditto.motion.layout import Motion, pack, unpack
from ditto.motion.motion_control import COLUMN, POSE_ANGLES

Array = NDArray[np.float32]

POSE_SIGNS: Array = np.array([1, -1, 1], np.float32)
"""A face turned to the image's right has negative yaw in motion frames."""
_OFFSETS = tuple(f"{angle}_offset_degrees" for angle in POSE_ANGLES)


def rotation_to_degrees(rotation: NDArray[np.floating]) -> Array:
    """(..., 3) pitch, yaw, roll, signed as controls count them, of head rotations (..., 3, 3).

    Axes are the image's: x right, y down, z away from the camera; columns are the head's axes.
    """
    yaw = np.arcsin(np.clip(-rotation[..., 2, 0], -1, 1))
    pitch = np.arctan2(rotation[..., 2, 1], rotation[..., 2, 2])
    roll = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    return np.asarray(np.degrees(np.stack([pitch, yaw, roll], axis=-1)) * POSE_SIGNS, np.float32)


def quaternion_to_degrees(x: float, y: float, z: float, w: float) -> Array:
    """(3,) pitch, yaw, roll of a quaternion. Raises `ValueError` for one that is all zeros."""
    length = float(np.sqrt(x * x + y * y + z * z + w * w))
    if not (np.isfinite(length) and length > 1e-6):
        raise ValueError("a rotation needs a quaternion that is not all zeros")
    x, y, z, w = x / length, y / length, z / length, w / length
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return rotation_to_degrees(np.array(rows))


def turn_head(motion: Array, reference: Array, values: Array, track: Array) -> Array:
    """Motion (T, 265) with the head moved as asked.

    ``reference`` (265,) is the portrait's own motion, ``track`` (T, 3) the absolute pose that
    `pose_weight` blends in. Frames that nothing changes keep their bits.
    """
    moved, rest = unpack(motion), unpack(reference[None])
    angles, home = _angles(moved), _angles(rest)
    gain, neck = (values[:, [COLUMN[name]]] for name in ("head_gain", "neck_gain"))
    turned = home + gain * (angles - home)
    looking = values[:, [COLUMN["look_at_weight"]]] * (_look_at(values) - home)
    looking[:, 2] = 0
    turned = turned + looking + values[:, [COLUMN[name] for name in _OFFSETS]]
    turned = turned + values[:, [COLUMN["pose_weight"]]] * (track - turned)
    limit = np.maximum(values[:, [COLUMN["head_limit_degrees"]]], 0)
    turned = home + np.clip(turned - home, -limit, limit)
    shift = rest.t + gain * neck * (moved.t - rest.t)
    scale = rest.scale + gain[:, 0] * (moved.scale - rest.scale)
    changed = (np.abs(turned - angles) > 1e-4).any(axis=1) | (gain * neck != 1)[:, 0]
    if not changed.any():
        return motion
    pitch, yaw, roll = (turned * POSE_SIGNS).astype(np.float32).T
    posed = pack(replace(moved, pitch=pitch, yaw=yaw, roll=roll, t=shift, scale=scale))
    return np.where(changed[:, None], posed, motion)


def head_turn(motion: Array, reference: Array) -> Array:
    """(T, 3) degrees away from the portrait's own pose, signed as controls count them."""
    return _angles(unpack(motion)) - _angles(unpack(reference[None]))


def _angles(motion: Motion) -> Array:
    return np.stack([motion.pitch, motion.yaw, motion.roll], axis=1) * POSE_SIGNS


def _look_at(values: Array) -> Array:
    """(T, 3) where the head's share of the look goes."""
    share = values[:, COLUMN["look_at_head_share"]]
    pitch = share * values[:, COLUMN["look_at_pitch_degrees"]]
    yaw = share * values[:, COLUMN["look_at_yaw_degrees"]]
    return np.stack([pitch, yaw, 0 * yaw], axis=1)
