"""What the motion stage gets to know of a portrait, measured from its mesh."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ditto.face.eye_state import eye_ball, eye_open
from ditto.motion import layout, semantics
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.grid import HEAD_SIZE
from ditto.packs.starter.renderer.traits import Traits
from ditto.stages import FaceIdentity

Array = NDArray[np.float32]

_KEYPOINT_VERTICES: Final = (
    10, 105, 334, 50, 4, 168, 13, 280, 234, 454, 152,
    159, 14, 145, 61, 386, 374, 0, 6, 17, 291,
)  # fmt: skip
"""Mesh point of each of the 21 keypoints, chosen by what `semantics.yaml` moves with them."""
_MM_PER_UNIT = 375.0
"""Head millimetres a unit: a face spans about +-0.2."""


def canonical_keypoints(face: FaceGeometry) -> Array:
    """(63,) the keypoints in the head's own frame, without pose."""
    points = face.head_mm[list(_KEYPOINT_VERTICES)]
    return np.asarray((points - points.mean(0)) / _MM_PER_UNIT, np.float32).ravel()


def reference_controls(traits: Traits) -> Array:
    """(C,) the portrait's own controls, relative to a shut neutral face."""
    controls = np.zeros(len(semantics.control_names()), np.float32)
    controls[semantics.control_index("lipGap")] = traits.own_gap_mm / traits.max_gap_mm
    controls[semantics.control_index("eyeBlinkRight")] = traits.own_blink_right
    controls[semantics.control_index("eyeBlinkLeft")] = traits.own_blink_left
    return controls


def face_identity(face: FaceGeometry, traits: Traits) -> FaceIdentity:
    """The identity of a portrait."""

    def one(value: float) -> Array:
        return np.array([value], np.float32)

    motion = layout.Motion(
        scale=one(1.0),
        pitch=one(traits.pitch),
        yaw=one(traits.yaw),
        roll=one(traits.roll),
        t=np.zeros((1, 3), np.float32),
        exp=semantics.encode(reference_controls(traits))[None],
    )
    landmarks = face.points[None] / np.float32(HEAD_SIZE)
    return FaceIdentity(
        canonical_keypoints=canonical_keypoints(face),
        reference_motion=layout.pack(motion)[0],
        eye_state=np.concatenate([eye_open(landmarks)[0], eye_ball(landmarks)[0]]),
    )
