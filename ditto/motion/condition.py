"""The condition rows of the motion diffusion (paper 3.2.1): features, emotion, eyes, identity.

One row is ``[speech features, emotion x 8, eye-open x 2, eye-ball x 6, canonical keypoints x 63]``,
1103 wide with the 1024 features of the published encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion.mirror import Indices, mirror_index
from ditto.stages import EMOTIONS

Array = NDArray[np.float32]

Emotion = int | Sequence[int] | Sequence[Sequence[int]] | Array
"""One label, several at once, one list of labels a frame (cycled), or ready vectors (M, 8)."""

NEUTRAL = EMOTIONS.index("neutral")
_LABEL_LOGIT = 8.0


@dataclass(frozen=True)
class ConditionBlocks:
    """Which blocks follow the speech features; a checkpoint is trained with one choice."""

    emotion: bool = True
    eye_open: bool = True
    eye_ball: bool = True
    keypoints: bool = True


@dataclass(frozen=True)
class ConditionSource:
    """What the rows say of the portrait, S source frames (1 for an image)."""

    keypoints: Array
    """(63,) canonical keypoints of source frame 0."""
    eye_open: Array
    """(S, 2) left, right."""
    eye_ball: Array
    """(S, 6) xL, xR, yL, yR, zL, zR."""
    emotions: Array
    """(M, 8) one row a frame, cycled; see `emotion_vectors`."""
    pin_eyes: bool = False
    """Keep the eyes of source frame 0 where a source video would play them."""


def emotion_vectors(emotion: Emotion = NEUTRAL) -> Array:
    """(M, 8) softmax rows, a logit of 8 at each label; vectors (M, 8) pass through."""
    if isinstance(emotion, np.ndarray):
        if emotion.ndim != 2 or emotion.shape[1] != len(EMOTIONS):
            raise InvalidInputError("emotion", f"vectors must be (M, 8), got {emotion.shape}")
        return emotion.astype(np.float32)
    if isinstance(emotion, int):
        return _softmax_row([emotion])[None]
    labels = [label for label in emotion if isinstance(label, int)]
    if labels and len(labels) == len(emotion):
        return _softmax_row(labels)[None]
    frames = [frame for frame in emotion if not isinstance(frame, int)]
    if labels or not frames:
        raise InvalidInputError("emotion", "must be labels, or a list of labels for every frame")
    return np.stack([_softmax_row(frame) for frame in frames])


def _softmax_row(labels: Sequence[int]) -> Array:
    if not labels or not all(0 <= label < len(EMOTIONS) for label in labels):
        raise InvalidInputError("emotion", f"labels {list(labels)} are not in 0..7")
    logits = np.zeros(len(EMOTIONS))
    logits[list(labels)] = _LABEL_LOGIT
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(), np.float32)


def intense_emotion(name: str, intensity: float) -> Array:
    """(1, 8) vector of a named emotion, from neutral (intensity 0) to as trained (1)."""
    if name not in EMOTIONS:
        raise InvalidInputError("emotion", f"{name!r} is not one of {', '.join(EMOTIONS)}")
    full, calm = emotion_vectors(EMOTIONS.index(name)), emotion_vectors(NEUTRAL)
    return np.asarray(calm + intensity * (full - calm), np.float32)


def assemble(
    features: Array,
    first_frame: int,
    source: ConditionSource,
    blocks: ConditionBlocks | None = None,
) -> Array:
    """Condition rows (T, 1103) for speech features (T, D) of frames from ``first_frame`` on.

    Frame numbers below 0, the silent prefix of a stream, count as 0.
    """
    blocks = blocks or ConditionBlocks()
    numbers = np.maximum(np.arange(first_frame, first_frame + len(features)), 0)
    eyes = np.zeros_like(numbers) if source.pin_eyes else _eye_rows(numbers, source)
    keypoints = np.broadcast_to(source.keypoints, (len(features), source.keypoints.size))
    columns = [features]
    columns += [source.emotions[numbers % len(source.emotions)]] if blocks.emotion else []
    columns += [source.eye_open[eyes]] if blocks.eye_open else []
    columns += [source.eye_ball[eyes]] if blocks.eye_ball else []
    columns += [keypoints] if blocks.keypoints else []
    return np.concatenate(columns, axis=1, dtype=np.float32)


def _eye_rows(numbers: Indices, source: ConditionSource) -> Indices:
    return mirror_index(numbers, len(source.eye_open))
