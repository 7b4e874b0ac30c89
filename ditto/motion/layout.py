"""The 265-number motion frame: where each field lies, and how head angles become bin logits.

One frame is ``[scale - 1, pitch bins x 66, yaw bins x 66, roll bins x 66, t x 3, exp x 63]``.
Letters used in this package: T frames, K = 21 keypoints, B = 66 angle bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

MOTION_DIM = 265
KEYPOINTS = 21
EXPRESSION_DIM = 3 * KEYPOINTS
ANGLE_BINS = 66
FPS = 25

SCALE = slice(0, 1)
PITCH = slice(1, 67)
YAW = slice(67, 133)
ROLL = slice(133, 199)
TRANSLATION = slice(199, 202)
EXPRESSION = slice(202, 265)

LIP_KEYPOINTS = (6, 12, 14, 17, 19, 20)
EYE_KEYPOINTS = (11, 13, 15, 16, 18)
BROW_KEYPOINTS = (1, 2)
CHEEK_KEYPOINTS = (3, 7)
JAW_KEYPOINT = 19

BIN_DEGREES = 3.0
"""Width of one angle bin, in degrees."""
BIN_ORIGIN_DEGREES = -97.5
"""Centre of bin 0, in degrees; bin 33 is centred on +1.5."""

_BIN_CENTRES = (np.arange(ANGLE_BINS) * BIN_DEGREES + BIN_ORIGIN_DEGREES).astype(np.float32)
_LOGIT_SIGMA_DEGREES = 4.0
"""Spread of the bell that `degrees_to_logits` writes. Wide against the 3 degree bins, so that the
softmax mean returns the angle to about 1e-3 degrees anywhere within +-80."""


@dataclass(frozen=True)
class Motion:
    """Motion frames with the head pose in degrees instead of bin logits.

    ``exp`` is (T, 63), keypoint-major; ``t`` is (T, 3); the rest are (T,).
    """

    scale: Array
    pitch: Array
    yaw: Array
    roll: Array
    t: Array
    exp: Array


def logits_to_degrees(logits: NDArray[np.floating]) -> Array:
    """Angle in degrees, (...,), from bin logits (..., 66): the softmax-weighted mean bin centre."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    weights = np.exp(shifted)
    weights /= weights.sum(axis=-1, keepdims=True)
    degrees = (weights * np.arange(ANGLE_BINS)).sum(axis=-1) * BIN_DEGREES + BIN_ORIGIN_DEGREES
    return np.asarray(degrees, np.float32)


def degrees_to_logits(degrees: NDArray[np.floating]) -> Array:
    """Bin logits (..., 66) whose `logits_to_degrees` is ``degrees`` (...,).

    A Gaussian bell without its constant term, ``(b*theta - b^2/2) / sigma^2`` over the bin centres
    b: affine in theta, so that adding logit differences (relative driving) adds the angles exactly.
    """
    theta = np.asarray(degrees, np.float32)[..., None]
    logits = (_BIN_CENTRES * theta - _BIN_CENTRES**2 / 2) / _LOGIT_SIGMA_DEGREES**2
    return np.asarray(logits, np.float32)


def pack(motion: Motion) -> Array:
    """Motion as frames (T, 265)."""
    frames = np.empty((len(motion.scale), MOTION_DIM), np.float32)
    frames[:, 0] = motion.scale - 1
    frames[:, PITCH] = degrees_to_logits(motion.pitch)
    frames[:, YAW] = degrees_to_logits(motion.yaw)
    frames[:, ROLL] = degrees_to_logits(motion.roll)
    frames[:, TRANSLATION] = motion.t
    frames[:, EXPRESSION] = motion.exp
    return frames


def unpack(frames: NDArray[np.floating]) -> Motion:
    """Frames (T, 265) as `Motion`."""
    if frames.ndim != 2 or frames.shape[1] != MOTION_DIM:
        raise ValueError(f"motion frames must be (T, {MOTION_DIM}), got {frames.shape}")
    logits = frames[:, PITCH.start : ROLL.stop].reshape(-1, 3, ANGLE_BINS)
    pitch, yaw, roll = logits_to_degrees(logits).T
    return Motion(
        scale=np.asarray(frames[:, 0] + 1, np.float32),
        pitch=pitch,
        yaw=yaw,
        roll=roll,
        t=np.asarray(frames[:, TRANSLATION], np.float32),
        exp=np.asarray(frames[:, EXPRESSION], np.float32),
    )
