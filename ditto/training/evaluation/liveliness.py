"""Statistics of motion that no reference is needed for: seams, blinks, head speed, drift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates

Array = NDArray[np.float32]
FRAME_RATE = 25


def seam_ratio(motion: Array, segment_frames: int, columns: list[int]) -> float:
    """Mean speed across segment borders over mean speed inside segments."""
    speed = np.abs(np.diff(motion[:, columns], axis=0)).mean(1)
    border = np.arange(1, len(motion)) % segment_frames == 0
    return float(speed[border].mean() / speed[~border].mean())


def blinks_a_minute(motion: Array) -> float:
    lids = motion[:, coordinates.index("eyeBlinkLeft")] > 0.5
    return float((np.diff(lids.astype(int)) == 1).sum() / len(motion) * FRAME_RATE * 60)


def head_speed_p95(motion: Array) -> Array:
    """(3,) 95th-percentile speed of pitch, yaw and roll in degrees a second."""
    angles = motion[:, [coordinates.index(name) for name in ("pitch", "yaw", "roll")]]
    speed = np.abs(np.diff(angles, axis=0)) * FRAME_RATE
    return np.asarray(np.percentile(speed, 95, axis=0), np.float32)


def closed_share(motion: Array, largest_gap: float = 0.2) -> float:
    """Share of frames whose lip gap is at most 0.02 of the face's height."""
    return float((motion[:, coordinates.index("lipGap")] <= largest_gap).mean())
