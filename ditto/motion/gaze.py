"""Gaze correction: the eyes stay on the camera while the head turns (paper 3.2.3).

The paper fits the eyes' motion to the head's; these are the released code's linear coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_YAW_GAIN = 0.26
_PITCH_GAIN = 0.28
_NEAR, _FAR = 0.0007, 0.001
"""Sideways gain of the eye that the head turns towards, and of the other one."""
_DOWN = 0.001
_RIGHT_X, _RIGHT_Y = 3 * 11, 3 * 11 + 1
_LEFT_X, _LEFT_Y = 3 * 15, 3 * 15 + 1


def correct_gaze(exp: Array, yaw_change: Array, pitch_change: Array) -> Array:
    """Expressions (T, 63) for a head (T,) degrees away from where the gaze was taken."""
    dx = _YAW_GAIN * yaw_change
    dy = _PITCH_GAIN * pitch_change
    corrected = exp.copy()
    corrected[:, _RIGHT_X] += dx * np.where(dx > 0, _NEAR, _FAR)
    corrected[:, _LEFT_X] += dx * np.where(dx > 0, _FAR, _NEAR)
    corrected[:, _RIGHT_Y] -= dy * _DOWN
    corrected[:, _LEFT_Y] -= dy * _DOWN
    return corrected
