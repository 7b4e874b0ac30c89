"""What the motion stage does before it takes sessions: everything that is slow the first time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ditto.motion.layout import EXPRESSION_DIM, Motion, pack
from ditto.stages import FaceIdentity, MotionGenerator, MotionSettings

SEGMENTS = 3


def warm_up(generator: MotionGenerator[Any]) -> None:
    """Generate a few segments for a plain face and silence."""
    state = generator.init_state(_plain_face(), MotionSettings())
    silence = np.zeros((generator.segment_frames, generator.feature_dim), np.float32)
    for _ in range(SEGMENTS):
        state, _ = generator.step(state, silence)
    generator.flush(state)


def _plain_face() -> FaceIdentity:
    zero = np.zeros(1, np.float32)
    still = Motion(
        scale=zero + 1,
        pitch=zero,
        yaw=zero,
        roll=zero,
        t=np.zeros((1, 3), np.float32),
        exp=np.zeros((1, EXPRESSION_DIM), np.float32),
    )
    return FaceIdentity(
        canonical_keypoints=np.zeros(EXPRESSION_DIM, np.float32),
        reference_motion=pack(still)[0],
        eye_state=np.full(8, 0.3, np.float32),
    )
