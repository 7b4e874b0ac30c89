"""Motion for recordings, exactly as a call would get it: serving encoder, serving generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ditto.motion import layout, semantics
from ditto.packs.starter import coordinates
from ditto.stages import Array, FaceIdentity, MotionGenerator, MotionSettings

NEUTRAL_FACE = FaceIdentity(
    canonical_keypoints=np.zeros(63, np.float32),
    reference_motion=layout.pack(
        layout.Motion(
            scale=np.ones(1, np.float32),
            pitch=np.zeros(1, np.float32),
            yaw=np.zeros(1, np.float32),
            roll=np.zeros(1, np.float32),
            t=np.zeros((1, 3), np.float32),
            exp=np.zeros((1, 63), np.float32),
        )
    )[0],
    eye_state=np.zeros(8, np.float32),
)
"""A portrait that looks straight ahead: coordinates come back as they were written."""

Generate = Callable[[Array], Array]
"""Features (T, D) to coordinates (T, C)."""


def motion_frames(
    generator: MotionGenerator[Any],
    features: Array,
    settings: MotionSettings | None = None,
    identity: FaceIdentity = NEUTRAL_FACE,
) -> Array:
    """Motion frames (T, 265) of features (T, D)."""
    state = generator.init_state(identity, settings or MotionSettings())
    state, motion = generator.step(state, features)
    _, rest = generator.flush(state)
    return np.concatenate([part for part in (motion, rest) if part is not None])


def to_coordinates(frames: Array) -> Array:
    """(T, C) coordinates of frames (T, 265) that were written for `NEUTRAL_FACE`."""
    motion = layout.unpack(frames)
    amounts = semantics.decode(motion.exp)
    rows = [semantics.control_index(name) for name in coordinates.CONTROLS]
    pose = [motion.pitch, motion.yaw, motion.roll, motion.t[:, 0], motion.t[:, 1], motion.scale - 1]
    return np.column_stack([amounts[:, rows], *pose]).astype(np.float32)
