"""Left and right exchanged: motion m and m_ref, keypoints c_ref and eyes e (paper 3.2.2).

Speech moves faces symmetrically, recordings do not: mirrored windows even that out. What a mirror
does to each number was derived from the starter's extractor: the motion of a mirrored picture is
the mirrored motion of the picture. Other packs' keypoints have no published mirror, so their videos
are extracted twice, as they are and mirrored (`ditto.training.videos`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ditto.motion import layout, semantics
from ditto.packs.starter import coordinates

Array = NDArray[np.float32]

_PARTNERS = {"eyeBlinkLeft": "eyeBlinkRight", "eyeBlinkRight": "eyeBlinkLeft"}
_SIDEWAYS = frozenset({"gazeX", "mouthShift", "yaw", "roll", "tx"})
_EYE_PARTNERS = [1, 0, 3, 2, 5, 4, 7, 6]
"""Condition e: open left, right, then x, y, z of the left and right eye-ball."""
_EYE_SIGNS = np.array([1, 1, -1, -1, 1, 1, 1, 1], np.float32)
_KEYPOINT_PAIRS = ((1, 2), (3, 7), (8, 9), (11, 15), (13, 16), (14, 20))
"""The starter's keypoints that face each other; the others lie on the middle line."""


def _signed_swap(names: tuple[str, ...]) -> tuple[list[int], Array]:
    order = [names.index(_PARTNERS.get(name, name)) for name in names]
    return order, np.array([-1 if name in _SIDEWAYS else 1 for name in names], np.float32)


_COORDINATES = _signed_swap(coordinates.NAMES)
_CONTROLS = _signed_swap(semantics.control_names())


def mirror_coordinates(motion: Array) -> Array:
    """Starter coordinates (..., C)."""
    order, signs = _COORDINATES
    return np.asarray(motion[..., order] * signs, np.float32)


def mirror_eyes(eyes: Array) -> Array:
    """Condition e (..., 8)."""
    return np.asarray(eyes[..., _EYE_PARTNERS] * _EYE_SIGNS, np.float32)


def mirror_keypoints(keypoints: Array) -> Array:
    """The starter's canonical keypoints (..., 63)."""
    order = np.arange(layout.KEYPOINTS)
    for right, left in _KEYPOINT_PAIRS:
        order[[right, left]] = left, right
    points = keypoints.reshape(*keypoints.shape[:-1], layout.KEYPOINTS, 3)[..., order, :]
    return np.asarray(points * np.array([-1, 1, 1], np.float32), np.float32).reshape(
        keypoints.shape
    )


def mirror_frames(frames: Array) -> Array:
    """Motion frames (T, 265) that were written with named controls, as the starter's are."""
    motion = layout.unpack(frames)
    amounts = semantics.decode(motion.exp)
    order, signs = _CONTROLS
    return layout.pack(
        replace(
            motion,
            yaw=-motion.yaw,
            roll=-motion.roll,
            t=motion.t * np.array([-1, 1, 1], np.float32),
            exp=motion.exp + semantics.encode(amounts[:, order] * signs - amounts),
        )
    )
