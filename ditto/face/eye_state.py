"""Eye openness and gaze from 478 face landmarks: the paper's eye state e (3.2.1).

"Left" is the eye on the image's left, as in the released code. Points are the networks' normalised
coordinates; letters: N faces, three coordinates each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError

Array = NDArray[np.float32]


@dataclass(frozen=True)
class _Eye:
    """Landmark numbers of one eye."""

    lids: tuple[tuple[int, int], ...]
    """Upper and lower lid at three places."""
    outer_corner: int
    inner_corner: int
    iris: int


_LEFT = _Eye(((160, 144), (159, 145), (158, 153)), 33, 133, 468)
_RIGHT = _Eye(((385, 380), (386, 374), (387, 373)), 263, 362, 473)
_POINTS = 478


def eye_open(landmarks: Array) -> Array:
    """Openness (N, 2), left, right, of landmarks (N, 478, 3): three lid heights by the width."""
    _check(landmarks)
    return np.stack([_openness(landmarks, eye) for eye in (_LEFT, _RIGHT)], axis=-1)


def eye_ball(landmarks: Array) -> Array:
    """Gaze (N, 6) of landmarks (N, 478, 3): xL, xR, yL, yR, zL, zR.

    The iris from the eye's centre, less a vector of the same length towards the outer corner.
    """
    _check(landmarks)
    vectors = np.stack([_ball(landmarks, eye) for eye in (_LEFT, _RIGHT)], axis=-1)  # N 3 2
    return vectors.reshape(len(landmarks), 6)


def _check(landmarks: Array) -> None:
    if landmarks.ndim != 3 or landmarks.shape[1:] != (_POINTS, 3):
        raise InvalidInputError("landmarks", f"must be (N, {_POINTS}, 3), got {landmarks.shape}")


def _openness(landmarks: Array, eye: _Eye) -> Array:
    width = _length(landmarks[:, eye.outer_corner] - landmarks[:, eye.inner_corner])
    heights = [_length(landmarks[:, upper] - landmarks[:, lower]) for upper, lower in eye.lids]
    return np.asarray(sum(heights) / (width + 1e-8), np.float32)


def _ball(landmarks: Array, eye: _Eye) -> Array:
    outer, inner = landmarks[:, eye.outer_corner], landmarks[:, eye.inner_corner]
    offset = np.asarray(landmarks[:, eye.iris] - (outer + inner) / 2, np.float32)
    axis = (outer - inner) / _length(outer - inner)[:, None]
    return np.asarray(offset - axis * _length(offset)[:, None], np.float32)


def _length(vectors: Array) -> Array:
    return np.asarray(np.linalg.norm(vectors, axis=-1), np.float32)
