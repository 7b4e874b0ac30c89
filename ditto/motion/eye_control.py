"""Eyes and added amounts under control: gaze targets and correction, looks away, blinks, squint.

T frames, V values of `ditto.motion.motion_control`, K the (63, 3) gaze matrix of a pack.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics
from ditto.motion.head_control import head_turn
from ditto.motion.layout import EXPRESSION
from ditto.motion.motion_control import AMOUNTS, COLUMN

Array = NDArray[np.float32]
Frames = NDArray[np.int64]

_LOOK_FRAMES = (14, 32)
_LOOK_EASE_FRAMES = 4
_LEAST_CELL_FRAMES = 40
_LOOK_KEY = 7 << 56
_CLOSE_FRAMES, _OPEN_FRAMES = 4, 6
_MOST_LID_SHARE = 0.5


def steer_eyes(
    motion: Array, reference: Array, values: Array, matrix: Array, frames: Frames, seed: int
) -> Array:
    """Motion (T, 265) with the gaze corrected for the head's turn and led to its target.

    ``reference`` (265,) looks into the camera; ``frames`` (T,) number the rows.
    """
    turn = head_turn(motion, reference)  # T 3
    away = look_away(seed, frames, values)
    wanted = values[:, [COLUMN["gaze_correction"]]] * turn
    wanted[:, :2] -= _target(values) + away
    exp = motion[:, EXPRESSION]
    held = values[:, COLUMN["gaze_weight"]]
    at = [semantics.control_index(name) for name in ("gazeX", "gazeY")]
    own = semantics.decode(exp - reference[EXPRESSION])[:, at]
    led = exp + wanted @ matrix.T - (held[:, None] * own) @ semantics.control_matrix()[at]
    result = motion.copy()
    result[:, EXPRESSION] = _kept_in_range(np.asarray(led, np.float32), at)
    return result


def add_amounts(motion: Array, values: Array, closure: Array) -> Array:
    """Motion (T, 265) with amounts added, and lids as closed as ``closure`` (T,) at least."""
    added = values[:, AMOUNTS].copy()  # T C
    exp = motion[:, EXPRESSION]
    now = semantics.decode(exp)
    closed = np.maximum(closure, values[:, COLUMN["eyes_closed"]])
    for name in ("eyeBlinkRight", "eyeBlinkLeft"):
        at = semantics.control_index(name)
        added[:, at] += closed * np.clip(1 - now[:, at] - added[:, at], 0, None)
    added[:, semantics.control_index("eyeSquint")] += values[:, COLUMN["squint"]]
    if not added.any():
        return motion
    low, high = semantics.control_ranges().T
    total = np.clip(now + added, np.minimum(low, now), np.maximum(high, now))
    result = motion.copy()
    result[:, EXPRESSION] = exp + semantics.encode(total - now)
    return result


def look_away(seed: int, frames: Frames, values: Array) -> Array:
    """(T, 2) pitch and yaw degrees of natural looks to the side, a pure function of the frame."""
    result = np.zeros((len(frames), 2), np.float32)
    for row, frame in enumerate(frames):
        furthest = values[row, COLUMN["look_away_degrees"]]
        if furthest > 0:
            spread = int(values[row, COLUMN["look_away_range_frames"]])
            apart = int(values[row, COLUMN["look_away_min_frames"]]) + spread
            result[row] = furthest * _look(seed, int(frame), max(apart, _LEAST_CELL_FRAMES), spread)
    return result


def blink_closure(since: NDArray[np.integer], length: int) -> Array:
    """(T,) closure of one blink of ``length`` frames, so many frames ``since`` its first."""
    closing = max(1.0, min(_CLOSE_FRAMES, _MOST_LID_SHARE * length))
    opening = max(1.0, min(_OPEN_FRAMES, _MOST_LID_SHARE * length))
    return np.minimum(_ease((since + 1) / closing), _ease((length - since) / opening))


def _target(values: Array) -> Array:
    """(T, 2) pitch and yaw degrees that the eyes are led to, as the camera sees them."""
    held = values[:, [COLUMN["gaze_weight"]]]
    gaze = values[:, [COLUMN["gaze_pitch_degrees"], COLUMN["gaze_yaw_degrees"]]]
    look = values[:, [COLUMN["look_at_pitch_degrees"], COLUMN["look_at_yaw_degrees"]]]
    looking = values[:, [COLUMN["look_at_weight"]]]
    return np.asarray(held * gaze + (1 - held) * looking * look, np.float32)


def _kept_in_range(exp: Array, at: list[int]) -> Array:
    amounts = semantics.decode(exp)[:, at]
    low, high = semantics.control_ranges()[at].T
    excess = amounts - np.clip(amounts, low, high)
    return np.asarray(exp - excess @ semantics.control_matrix()[at], np.float32)


def _look(seed: int, frame: int, cell_frames: int, spread: int) -> NDArray[np.float64]:
    """(2,) share of the furthest look at a frame; each cell of time draws one look."""
    cell, inside = divmod(frame, cell_frames)
    key = np.array([seed % 2**64, _LOOK_KEY + max(cell, 0)], np.uint64)
    draw = np.random.Generator(np.random.Philox(key=key))
    length = int(draw.integers(*_LOOK_FRAMES))
    start = int(draw.integers(0, max(1, min(spread, cell_frames - length))))
    yaw = draw.uniform(0.6, 1.0) * draw.choice([-1, 1])
    pitch = draw.uniform(-0.35, 0.2)
    since = np.array([inside - start])
    amount = np.minimum(
        _ease((since + 1) / _LOOK_EASE_FRAMES), _ease((length - since) / _LOOK_EASE_FRAMES)
    )
    return np.array([pitch, yaw]) * float(amount[0])


def _ease(share: NDArray[np.floating]) -> Array:
    share = np.clip(share, 0, 1)
    return np.asarray(share**2 * (3 - 2 * share), np.float32)
