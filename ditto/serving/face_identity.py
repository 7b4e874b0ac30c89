"""A portrait's small vectors on the wire and as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ditto.errors import InvalidInputError
from ditto.motion.layout import EXPRESSION_DIM, MOTION_DIM
from ditto.stages import Array, FaceIdentity
from ditto.v1 import types_pb2

EYE_STATE_DIM = 8


def message_of(identity: FaceIdentity) -> types_pb2.FaceIdentity:
    """An identity as a message."""
    return types_pb2.FaceIdentity(
        canonical_keypoints=identity.canonical_keypoints.tolist(),
        reference_motion=identity.reference_motion.tolist(),
        eye_state=identity.eye_state.tolist(),
    )


def identity_of(message: types_pb2.FaceIdentity) -> FaceIdentity:
    """A message as an identity. Raises `InvalidInputError` naming the field."""
    return FaceIdentity(
        canonical_keypoints=_vector(
            "canonical_keypoints", message.canonical_keypoints, EXPRESSION_DIM
        ),
        reference_motion=_vector("reference_motion", message.reference_motion, MOTION_DIM),
        eye_state=_vector("eye_state", message.eye_state, EYE_STATE_DIM),
    )


def _vector(name: str, numbers: Sequence[float], length: int) -> Array:
    vector = np.array(numbers, np.float32)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise InvalidInputError(
            f"identity.{name}", f"has {vector.size} numbers; must be {length} finite ones"
        )
    return vector
