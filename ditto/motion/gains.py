"""Expression scaled and limited by facial region (paper 3.2.3, regional and magnitude control).

Gains act on the movement away from the portrait's own motion (the paper's m_ref), so that a gain
of 0 freezes a region as it is in the portrait and 1 changes nothing. Above 1 the mouth's opening
counts from closed lips instead, or a portrait that smiles with open lips would shut where it should
open wider. T frames, C named controls of `ditto.motion.semantics`, V values of
`ditto.motion.motion_control`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics
from ditto.motion.layout import (
    BROW_KEYPOINTS,
    CHEEK_KEYPOINTS,
    EXPRESSION_DIM,
    EYE_KEYPOINTS,
    JAW_KEYPOINT,
    LIP_KEYPOINTS,
)
from ditto.motion.motion_control import COLUMN

Array = NDArray[np.float32]

_OF_CONTROL: dict[str, tuple[str, ...]] = {
    "jawOpen": ("mouth_gain", "jaw_gain", "neck_gain"),
    "mouthSmile": ("expression_gain", "lips_gain"),
    "mouthFrown": ("expression_gain", "lips_gain"),
    "eyeBlinkRight": ("eye_gain",),
    "eyeBlinkLeft": ("eye_gain",),
    "eyeSquint": ("eye_gain",),
    "gazeX": ("eye_gain",),
    "gazeY": ("eye_gain",),
    "browUp": ("expression_gain", "brows_gain"),
    "browDown": ("expression_gain", "brows_gain"),
    "cheekRaise": ("expression_gain", "cheeks_gain"),
}
_OTHERS = ("mouth_gain", "lips_gain")
"""The gains that a control obeys; their product scales it."""
_OPENING = ("jawOpen", "lipGap")
GAINS = (
    *("mouth_gain", "eye_gain", "expression_gain"),
    *("lips_gain", "jaw_gain", "brows_gain", "cheeks_gain", "neck_gain"),
)


def scale_expression(exp: Array, at_rest: Array, values: Array) -> Array:
    """Expression (T, 63) with each named control, and what no control explains, scaled and limited.

    ``at_rest`` (63,) is the portrait's own; ``values`` are (T, V).
    """
    of_control, of_dimension = _memberships()
    gains = values[:, [COLUMN[name] for name in GAINS]]  # T G
    moved = exp - at_rest
    amounts = semantics.decode(moved)  # T C
    unexplained = moved - semantics.encode(amounts)
    limit = values[:, [COLUMN["expression_limit"]]]  # T 1
    scaled = _within_range(amounts, _product(gains, of_control), at_rest, limit)
    change = semantics.encode(scaled - amounts)
    rest = (_product(gains, of_dimension) * limit - 1) * unexplained
    return np.asarray(exp + change + rest, np.float32)


def _product(gains: Array, members: NDArray[np.bool_]) -> Array:
    """(T, N) products of the gains (T, G) that each of N things obeys, (N, G)."""
    return np.asarray(np.where(members, gains[:, None], 1).prod(axis=2), np.float32)


def _within_range(amounts: Array, gains: Array, at_rest: Array, limit: Array) -> Array:
    """Scaled amounts, kept from leaving their range further than they did before."""
    rest = semantics.decode(at_rest)  # C
    low, high = semantics.control_ranges().T
    lowest, highest = np.minimum(low - rest, amounts), np.maximum(high - rest, amounts)
    opening = np.isin(semantics.control_names(), _OPENING)
    from_closed = np.maximum(gains - 1, 0) * np.where(opening, np.maximum(rest, 0), 0)
    scaled = np.clip(amounts * gains + from_closed, lowest, highest)
    # A portrait's own expression may lie outside the share that is left; it stays reachable.
    floor, ceiling = np.minimum(limit * low - rest, 0), np.maximum(limit * high - rest, 0)
    return np.asarray(np.where(limit < 1, np.clip(scaled, floor, ceiling), scaled), np.float32)


@cache
def _memberships() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(C, G) and (63, G): which gains each control and each expression dimension obeys."""
    of_keypoint: dict[int, tuple[str, ...]] = dict.fromkeys(LIP_KEYPOINTS, _OTHERS)
    of_keypoint[JAW_KEYPOINT] = ("mouth_gain", "jaw_gain", "neck_gain")
    of_keypoint |= dict.fromkeys(EYE_KEYPOINTS, ("eye_gain",))
    of_keypoint |= dict.fromkeys(BROW_KEYPOINTS, ("expression_gain", "brows_gain"))
    of_keypoint |= dict.fromkeys(CHEEK_KEYPOINTS, ("expression_gain", "cheeks_gain"))
    controls = [_OF_CONTROL.get(name, _OTHERS) for name in semantics.control_names()]
    dimensions = [of_keypoint.get(at // 3, ("expression_gain",)) for at in range(EXPRESSION_DIM)]

    def members(rows: list[tuple[str, ...]]) -> NDArray[np.bool_]:
        return np.array([[name in row for name in GAINS] for row in rows])

    return members(controls), members(dimensions)
