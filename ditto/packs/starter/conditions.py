"""The enhanced conditions of the starter's motion model, a row a frame: e, c_ref, s (paper 3.2.1).

A row is ``[eye state x 8, canonical keypoints x 63, emotion x 8]``. The eye state is relative to
the portrait's (see `behaviour.eye_state`); intensity fades the emotion vector to the neutral one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.motion.condition import NEUTRAL, emotion_vectors
from ditto.packs.starter.behaviour import EYE_DIM
from ditto.stages import EMOTIONS

Array = NDArray[np.float32]

KEYPOINTS_DIM = 63
DIM = EYE_DIM + KEYPOINTS_DIM + len(EMOTIONS)
KEYPOINTS = slice(EYE_DIM, EYE_DIM + KEYPOINTS_DIM)
EMOTION = slice(EYE_DIM + KEYPOINTS_DIM, DIM)
_KEYPOINT_SCALE = 0.5
"""Brings canonical keypoints, about +-0.3, below the other conditions: identity is a weak cue."""


def emotion(label: int, intensity: float) -> Array:
    """(8,) emotion vector, between the neutral one at intensity 0 and the label's at 1."""
    neutral, full = emotion_vectors(NEUTRAL)[0], emotion_vectors(label)[0]
    return np.asarray(neutral + np.float32(intensity) * (full - neutral), np.float32)


def enhanced(eyes: Array, canonical_keypoints: Array, emotions: Array) -> Array:
    """(T, 79) rows of eye states (T, 8), keypoints (63,) and emotion, (8,) or (T, 8)."""
    keypoints = np.clip(canonical_keypoints, -1, 1) * np.float32(_KEYPOINT_SCALE)
    rows = [np.broadcast_to(p, (len(eyes), p.shape[-1])) for p in (keypoints, emotions)]
    return np.concatenate([eyes, *rows], axis=1)
