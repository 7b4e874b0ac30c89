"""Authored emotion presets: what each class adds to the face and to the head's liveliness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates
from ditto.stages import EMOTIONS

Array = NDArray[np.float32]

_FACE: dict[str, dict[str, float]] = {
    "angry": {"browDown": 0.7, "eyeSquint": 0.4, "mouthFrown": 0.3, "mouthFunnel": 0.08},
    "disgust": {"browDown": 0.4, "eyeSquint": 0.4, "cheekRaise": 0.5, "mouthFrown": 0.35},
    "fear": {"browUp": 0.6, "mouthStretch": 0.3, "mouthFrown": 0.15},
    "happy": {"mouthSmile": 0.6, "cheekRaise": 0.5, "eyeSquint": 0.25, "browUp": 0.1},
    "neutral": {},
    "sad": {"browUp": 0.35, "browDown": 0.1, "mouthFrown": 0.5},
    "surprise": {"browUp": 0.9, "jawOpen": 0.06},
    "contempt": {"mouthSmile": 0.2, "eyeSquint": 0.25, "mouthFrown": 0.1},
}
_LIVELINESS = {
    "angry": 1.25, "disgust": 0.9, "fear": 0.9, "happy": 1.25,
    "neutral": 1.0, "sad": 0.6, "surprise": 1.15, "contempt": 0.9,
}  # fmt: skip


def offsets() -> Array:
    """(8, C): what each class adds to the coordinates at intensity 1."""
    table = np.zeros((len(EMOTIONS), coordinates.COUNT), np.float32)
    for row, emotion in enumerate(EMOTIONS):
        for name, amount in _FACE[emotion].items():
            table[row, coordinates.index(name)] = amount
    return table


def liveliness() -> Array:
    """(8,): factor on head motion of each class at intensity 1."""
    return np.array([_LIVELINESS[emotion] for emotion in EMOTIONS], np.float32)
