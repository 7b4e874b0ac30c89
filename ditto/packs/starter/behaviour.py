"""What a face does by itself: blinks, glances and changes of posture, as functions of the frame.

Each process is a pure function of (seed, absolute frame): time is cut into cells of fixed length
and every cell draws its own event, so a replay from any frame gives the same behaviour. The motion
model is conditioned on these curves (the paper's e and m_ref, 3.2.1) and writes what follows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates

Array = NDArray[np.float32]
Frames = NDArray[np.int64]
Curve = NDArray[np.float64]
Curves = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Curve]

EYE_DIM = 8

_BLINK, _GAZE, _POSTURE = 1, 2, 3
_BLINK_CELL_FRAMES = 90
"""One blink a cell, some double: about 18 a minute."""
_FRAMES_A_MINUTE = 1500
_LONGEST_CELL_FRAMES = 2**31
_BLINK_FRAMES = 7
_LAST_BLINK_START = 66
_DOUBLE_BLINK_SHARE = 0.1
_DOUBLE_BLINK_DELAY = 13
_GAZE_CELL_FRAMES = 30
_ON_CAMERA_SHARE = 0.65
_GAZE_SPREAD = np.array([0.20, 0.10])
_POSTURE_CELL_FRAMES = 45
_POSTURE_SPREAD_DEGREES = np.array([1.7, 2.6, 1.7])
_SCALE_SPREAD = 0.004
TX_PER_YAW_DEGREE = -0.005
TY_PER_PITCH_DEGREE = 0.005


def blink(
    seed: int, frames: Frames, per_minute: float | None = None, length: float | None = None
) -> Array:
    """(T,): how closed the lids are, 0 open to 1 shut.

    Blinks last 6 to 8 frames, or ``length``, and come about 18 times a minute, or ``per_minute``.
    """
    closed = np.zeros(len(frames))
    if per_minute == 0:
        return closed.astype(np.float32)
    cell_frames = _BLINK_CELL_FRAMES
    if per_minute is not None:
        cell_frames = max(1, round(min(_FRAMES_A_MINUTE / per_minute, _LONGEST_CELL_FRAMES)))
    cells = np.floor_divide(frames, cell_frames)
    for cell in np.unique(cells[frames >= 0]):
        rng = _generator(seed, _BLINK, int(cell))
        if per_minute is None:
            start = rng.integers(0, _LAST_BLINK_START)
        else:
            start = rng.integers(0, max(1, cell_frames - round(length or _BLINK_FRAMES)))
        falling, rising = rng.uniform(2.0, 2.6), rng.uniform(3.0, 4.2)
        shut = 1.0
        if length is not None:
            falling, rising = min(falling, 0.4 * length), min(rising, 0.5 * length)
            shut = length - falling - rising
        starts = [start]
        if per_minute is None and length is None and rng.random() < _DOUBLE_BLINK_SHARE:
            starts.append(start + _DOUBLE_BLINK_DELAY)
        inside = cells == cell
        time = frames[inside] - cell * cell_frames
        for begin in starts:
            after = time - begin
            wave = np.minimum(after / falling, 1 + (falling + shut - after) / rising)
            closed[inside] = np.maximum(closed[inside], _ease(wave))
    return closed.astype(np.float32)


def gaze(seed: int, frames: Frames) -> Array:
    """(T, 2): gazeX and gazeY amounts; glances away from the camera and back, 2 frames a jump."""

    def target(rng: np.random.Generator) -> Curve:
        spread = _GAZE_SPREAD * (0.15 if rng.random() < _ON_CAMERA_SHARE else 1.0)
        return np.asarray(np.clip(rng.normal(size=2), -2, 2) * spread)

    def now(at: Frames) -> Curves:
        return _steps(seed, at, _GAZE, _GAZE_CELL_FRAMES, target)

    return ((now(frames) + now(frames - 1)) / 2).astype(np.float32)


def posture(seed: int, frames: Frames) -> Array:
    """(T, 6): where the head is about to go, in steps; the pose part of the model's m_ref."""

    def target(rng: np.random.Generator) -> Curve:
        angles = np.clip(rng.normal(size=3), -2, 2) * _POSTURE_SPREAD_DEGREES
        pose = pose_from_angles(angles[None], rng.normal(0, _SCALE_SPREAD, 1))
        return np.asarray(pose[0])

    return _steps(seed, frames, _POSTURE, _POSTURE_CELL_FRAMES, target).astype(np.float32)


def pose_from_angles(degrees: NDArray[np.floating], scale: NDArray[np.floating]) -> Curves:
    """(T, 6) pose of angles (T, 3) and scale (T,): the head's middle moves as the neck bends."""
    pitch, yaw, _ = degrees.T
    shift = [TX_PER_YAW_DEGREE * yaw, TY_PER_PITCH_DEGREE * pitch]
    return np.column_stack([degrees, *shift, scale])


def eye_state(blink_amount: Array, gaze_amount: Array) -> Array:
    """(T, 8) condition e: lids left and right, 1 as open as in the portrait, 0 shut; then x, y, z
    of both eye-balls relative to the portrait, in gaze amounts."""
    eyes = np.zeros((len(blink_amount), EYE_DIM), np.float32)
    eyes[:, 0:2] = 1 - blink_amount[:, None]
    eyes[:, 2:4] = gaze_amount[:, :1]
    eyes[:, 4:6] = gaze_amount[:, 1:]
    return eyes


def reference_steer(posture_pose: Array) -> Array:
    """(T, C) initial signal m_ref: the portrait's closed neutral face at the coming posture."""
    reference = np.zeros((len(posture_pose), coordinates.COUNT), np.float32)
    reference[:, coordinates.POSE_PART] = posture_pose
    return reference


def _generator(seed: int, process: int, cell: int) -> np.random.Generator:
    key = np.array([seed % 2**64, process * 2**56 + cell], np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def _steps(seed: int, frames: Frames, process: int, cell_frames: int, draw: Draw) -> Curves:
    """Each cell's target from a random frame of its first half on; before it, the last cell's."""

    @cache
    def event(cell: int) -> tuple[int, Curve]:
        rng = _generator(seed, process, max(cell, 0))
        start, target = int(rng.integers(0, cell_frames // 2)), draw(rng)
        return (start, target) if cell >= 0 else (0, 0 * target)

    values = []
    for frame in frames:
        cell, inside = divmod(int(frame), cell_frames)
        start, target = event(cell)
        values.append(target if inside >= start else event(cell - 1)[1])
    return np.stack(values)


def _ease(wave: Curve) -> Curve:
    wave = np.clip(wave, 0, 1)
    return wave**2 * (3 - 2 * wave)
