"""Motion scaled by facial region and turned by an added head pose.

Gains act on the movement away from the portrait's own motion (the paper's m_ref), so that a gain
of 0 is the portrait at rest and 1 changes nothing. T frames, C named controls of
`ditto.motion.semantics`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics
from ditto.motion.layout import (
    EXPRESSION,
    EXPRESSION_DIM,
    EYE_KEYPOINTS,
    LIP_KEYPOINTS,
    pack,
    unpack,
)

Array = NDArray[np.float32]

_MOUTH, _HEAD, _EYES, _EXPRESSION = range(4)
_EYE_CONTROLS = ("eyeBlinkRight", "eyeBlinkLeft", "eyeSquint", "gazeX", "gazeY")
_EXPRESSION_CONTROLS = ("mouthSmile", "mouthFrown", "browUp", "browDown", "cheekRaise")

_POSE_SIGNS = np.array([1, -1, 1], np.float32)
"""A face turned to the image's right has negative yaw; pitch and roll count as the offsets do."""


def shape(motion: Array, reference: Array, gains: Array, offsets: Array) -> Array:
    """Motion (T, 265) with gains (T, 4) on mouth, head, eyes, expression, and an added pose.

    ``reference`` is m_ref, (265,). ``offsets`` (T, 3) are degrees: down, to the image's right,
    clockwise in the image.
    """
    shaped = motion.copy()
    if (gains[:, _HEAD] != 1).any() or offsets.any():
        shaped = _posed(shaped, reference, gains[:, _HEAD], offsets * _POSE_SIGNS)
    shaped[:, EXPRESSION] = _expressed(motion[:, EXPRESSION], reference[EXPRESSION], gains)
    return shaped


def _posed(motion: Array, reference: Array, gain: Array, offsets: Array) -> Array:
    moved, rest = unpack(motion), unpack(reference[None])

    def scaled(name: str, factor: Array) -> Array:
        at_rest: Array = getattr(rest, name)
        return np.asarray(at_rest + factor * (getattr(moved, name) - at_rest), np.float32)

    return pack(
        replace(
            moved,
            scale=scaled("scale", gain),
            pitch=scaled("pitch", gain) + offsets[:, 0],
            yaw=scaled("yaw", gain) + offsets[:, 1],
            roll=scaled("roll", gain) + offsets[:, 2],
            t=scaled("t", gain[:, None]),
        )
    )


def _expressed(exp: Array, at_rest: Array, gains: Array) -> Array:
    """Expression (T, 63) with each named control, and what no control explains, scaled."""
    of_control, of_dimension = _regions()
    moved = exp - at_rest  # T 63
    amounts = semantics.decode(moved)  # T C
    unexplained = moved - semantics.encode(amounts)
    change = _within_range(amounts, gains[:, of_control], at_rest) - amounts
    return np.asarray(
        exp + semantics.encode(change) + (gains[:, of_dimension] - 1) * unexplained, np.float32
    )


def _within_range(amounts: Array, gains: Array, at_rest: Array) -> Array:
    """Scaled amounts, kept from leaving their range further than they did before."""
    rest = semantics.decode(at_rest)  # C
    low, high = semantics.control_ranges().T
    lowest, highest = np.minimum(low - rest, amounts), np.maximum(high - rest, amounts)
    return np.asarray(np.clip(amounts * gains, lowest, highest), np.float32)


@cache
def _regions() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The region of each control, (C,), and of each expression dimension, (63,)."""
    of_name = dict.fromkeys(_EYE_CONTROLS, _EYES)
    of_name |= dict.fromkeys(_EXPRESSION_CONTROLS, _EXPRESSION)
    of_keypoint = dict.fromkeys(LIP_KEYPOINTS, _MOUTH)
    of_keypoint |= dict.fromkeys(EYE_KEYPOINTS, _EYES)
    of_control = [of_name.get(name, _MOUTH) for name in semantics.control_names()]
    of_dimension = [of_keypoint.get(dim // 3, _EXPRESSION) for dim in range(EXPRESSION_DIM)]
    return np.array(of_control), np.array(of_dimension)
