"""The head pose of a motion frame, relative to the portrait's own, as one map of 3-D points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.motion.layout import Motion
from ditto.motion.rotation import rotation_matrix
from ditto.packs.starter.renderer.grid import HEAD_SIZE
from ditto.packs.starter.renderer.traits import Traits

Array = NDArray[np.float32]

_MAX_TURN_DEGREES = {"pitch": 18.0, "yaw": 18.0, "roll": 25.0}
"""Largest turn away from the portrait's own pose."""
_MAX_YAW_DEGREES = 32.0
"""Largest yaw in all: a face that is turned already gets less room to turn further."""
_MAX_SHIFT_PX = 40.0
_PIXELS_PER_UNIT = HEAD_SIZE / 2
"""Translation is in units of half the HEAD view."""


@dataclass(frozen=True)
class HeadPose:
    """Displaces p (x, y, depth behind the pivot) by ``p @ turn.T + shift``, in pixels."""

    turn: Array
    """(2, 3)"""
    shift: Array
    """(2,)"""


def head_pose(motion: Motion, reference: Motion, traits: Traits, pivot: Array) -> HeadPose:
    """Pose of a one-frame ``motion`` against the portrait's ``reference``, about ``pivot`` (3,)."""
    own = np.array([traits.pitch, traits.yaw, traits.roll], np.float32)
    delta = [
        float(getattr(motion, name)[0] - getattr(reference, name)[0])
        for name in ("pitch", "yaw", "roll")
    ]
    pitch = _soft_limit(delta[0], _MAX_TURN_DEGREES["pitch"])
    roll = _soft_limit(delta[2], _MAX_TURN_DEGREES["roll"])
    room = _MAX_YAW_DEGREES - abs(traits.yaw) if delta[1] * traits.yaw > 0 else np.inf
    yaw = _soft_limit(delta[1], min(_MAX_TURN_DEGREES["yaw"], max(room, 3.0)))
    driven, source = rotation_matrix(*(own[:, None] + np.array([[pitch, 0], [yaw, 0], [roll, 0]])))
    scale = min(max(float(motion.scale[0]) / max(float(reference.scale[0]), 1e-3), 0.85), 1.18)
    turn = (scale * driven.T @ source - np.eye(3))[:2].astype(np.float32)
    moved = (motion.t[0, :2] - reference.t[0, :2]) * _PIXELS_PER_UNIT
    moved = np.clip(moved, -_MAX_SHIFT_PX, _MAX_SHIFT_PX)
    return HeadPose(turn, (moved - turn[:, :2] @ pivot[:2]).astype(np.float32))


def _soft_limit(value: float, limit: float) -> float:
    """``value`` up to 0.6 of the limit, then ever slower, never beyond the limit."""
    knee = 0.6 * limit
    over = abs(value) - knee
    if over <= 0:
        return value
    return float(np.sign(value) * (knee + (limit - knee) * np.tanh(over / (limit - knee))))
