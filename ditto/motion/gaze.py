"""Gaze correction: the eyes stay on the camera while the head turns (paper 3.2.3).

delta_correct = delta + K(R): K maps the head's turn R away from where the gaze was taken to the
expression change that turns the eyes back. It is fitted to a template in which somebody keeps the
eyes on the camera and the expression still while the head turns.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError, SetupError
from ditto.motion.head_control import head_turn
from ditto.motion.layout import EXPRESSION, EXPRESSION_DIM, EYE_KEYPOINTS, KEYPOINTS

Array = NDArray[np.float32]

_YAW_GAIN = 0.26
_PITCH_GAIN = 0.28
_NEAR, _FAR = 0.0007, 0.001
"""Sideways gain of the eye that the head turns towards, and of the other one."""
_DOWN = 0.001
_RIGHT_X, _RIGHT_Y = 3 * 11, 3 * 11 + 1
_LEFT_X, _LEFT_Y = 3 * 15, 3 * 15 + 1

_LEAST_TURN_DEGREES = 3.0
_LEAST_FRAMES = 10
_RIDGE = 1e-3


def correct_gaze(exp: Array, yaw_change: Array, pitch_change: Array) -> Array:
    """Expressions (T, 63) for a head (T,) degrees away from where the gaze was taken.

    These are the released code's fixed coefficients; a fitted K takes their place.
    """
    dx = _YAW_GAIN * yaw_change
    dy = _PITCH_GAIN * pitch_change
    corrected = exp.copy()
    corrected[:, _RIGHT_X] += dx * np.where(dx > 0, _NEAR, _FAR)
    corrected[:, _LEFT_X] += dx * np.where(dx > 0, _FAR, _NEAR)
    corrected[:, _RIGHT_Y] -= dy * _DOWN
    corrected[:, _LEFT_Y] -= dy * _DOWN
    return corrected


def released_gaze() -> Array:
    """K (63, 3) nearest to `correct_gaze`: its two sideways gains averaged."""
    matrix = np.zeros((EXPRESSION_DIM, 3), np.float32)
    sideways = -_YAW_GAIN * (_NEAR + _FAR) / 2  # controls count yaw the other way round
    matrix[[_RIGHT_X, _LEFT_X], 1] = sideways
    matrix[[_RIGHT_Y, _LEFT_Y], 0] = -_PITCH_GAIN * _DOWN
    return matrix


def fit(template: Array) -> Array:
    """K (63, 3): expression change of the eyes for a head turned by pitch, yaw, roll degrees.

    ``template`` (T, 265) begins with the head at rest; R and delta are taken relative to its first
    frame. Only the eyes' keypoints are fitted. Raises `InvalidInputError` for a template that turns
    the head too little in pitch or yaw to tell.
    """
    if len(template) < _LEAST_FRAMES:
        raise InvalidInputError("template", f"{len(template)} frames; allowed: {_LEAST_FRAMES} on")
    turn = head_turn(template, template[0]).astype(np.float64)  # T 3
    spread = np.abs(turn).max(axis=0)
    if (spread[:2] < _LEAST_TURN_DEGREES).any():
        raise InvalidInputError(
            "template",
            f"the head turns by {spread[0]:.1f} (pitch) and {spread[1]:.1f} (yaw) degrees; "
            f"needed: {_LEAST_TURN_DEGREES:g} or more each",
        )
    change = (template[:, EXPRESSION] - template[0, EXPRESSION]).astype(np.float64)
    penalty = _RIDGE * len(turn) * np.eye(3)
    matrix = np.linalg.solve(turn.T @ turn + penalty, turn.T @ change).T
    eyes = np.zeros((KEYPOINTS, 3), bool)
    eyes[list(EYE_KEYPOINTS)] = True
    return np.asarray(matrix * eyes.reshape(-1, 1), np.float32)


def save_matrix(path: Path, matrix: Array) -> None:
    """Write K (63, 3)."""
    np.savez_compressed(path, allow_pickle=False, gaze_matrix=matrix.astype(np.float32))


def load_matrix(path: str | Path) -> Array:
    """K (63, 3) of a file. Raises `SetupError` for one that cannot be used."""
    try:
        with np.load(path, allow_pickle=False) as file:
            matrix = np.asarray(file["gaze_matrix"], np.float32)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SetupError(f"gaze: {path}: {error}; make it with `ditto fit-gaze`") from None
    if matrix.shape != (EXPRESSION_DIM, 3) or not np.isfinite(matrix).all():
        raise SetupError(f"gaze: {path} holds {matrix.shape}; make it with `ditto fit-gaze`")
    return matrix
