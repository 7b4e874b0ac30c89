"""The frame of a clip that serves as the portrait: mouth closed, eyes open, facing the camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.evaluation.measured import IDENTITY_STRIDE, Measured
from ditto.training.evaluation import talking_video

_GAP_COST, _TURN_COST, _LID_COST = 10.0, 1 / 60, 0.5


def best_frame(clip: Measured) -> int:
    """Index of the frame that a user would choose, of those that face recognition looks at."""
    turn = np.abs(clip.head_angles - np.median(clip.head_angles, axis=0)).max(1)
    turn = np.maximum(turn, np.abs(clip.head_angles[:, 1]))
    shut = np.clip(1 - clip.lids, 0, None)
    cost = _GAP_COST * clip.lip_gap + _TURN_COST * turn + _LID_COST * shut
    return int(np.argmin(cost[::IDENTITY_STRIDE])) * IDENTITY_STRIDE


def portrait_png(video: Path, index: int) -> bytes:
    """A frame of a video as a PNG file."""
    for number, image in enumerate(talking_video.frames(video)):
        if number == index:
            return encoded(image)
    raise IndexError(f"{video} has no frame {index}")


def encoded(image: NDArray[np.uint8]) -> bytes:
    """An RGB picture as the bytes of a PNG file."""
    _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return data.tobytes()
