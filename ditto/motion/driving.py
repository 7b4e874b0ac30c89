"""Motion that a caller sends, on another face, and what fills the time when none comes.

Where sent motion ends or begins, the face goes on with the pose and speed that it had, and the
difference fades. T frames, D = 70 numbers: scale, three angles, translation, expression.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ditto.motion import track
from ditto.motion.idle import idle_motion
from ditto.motion.layout import EXPRESSION_DIM, MOTION_DIM, Motion, pack, unpack

Array = NDArray[np.float32]

EASE_FRAMES = 12
_ROW_DIM = 7 + EXPRESSION_DIM


@dataclass(frozen=True)
class DriveState:
    """What the next frames follow from."""

    anchor: Array
    """(A, 265) the first frame that was sent, once there is one (A = 0 or 1)."""
    shown: Array
    """(S, D) the last frames, two at most."""
    gap: Array
    """(D,) what separated the face from what drives it now, just before that began."""
    gap_speed: Array
    """(D,) how fast that changed, a frame."""
    begin_frame: int
    is_idle: bool


def init_state() -> DriveState:
    """Nothing was shown yet: whatever comes first begins without easing."""
    still = np.zeros(_ROW_DIM, np.float32)
    nothing = np.zeros((0, MOTION_DIM), np.float32)
    return DriveState(nothing, np.zeros((0, _ROW_DIM), np.float32), still, still, 0, is_idle=False)


def drive(
    state: DriveState, motion: Array, reference: Array, first_frame: int
) -> tuple[DriveState, Array]:
    """The next frames (T, 265) of a portrait with motion ``reference`` (265,), T >= 1.

    The face moves as the sent ``motion`` (T, 265) does relative to the first frame ever sent.
    """
    if not len(state.anchor):
        state = replace(state, anchor=motion[:1])
    rows = _rows(track.onto(np.concatenate([state.anchor, motion]), reference)[1:])
    speed = rows[1] - rows[0] if len(rows) > 1 else np.zeros(_ROW_DIM, np.float32)
    return _eased(state, rows, speed, first_frame, is_idle=False)


def idle(
    state: DriveState,
    count: int,
    reference: Array,
    first_frame: int,
    seed: int,
    blinks_per_minute: float | None = None,
    blink_frames: float | None = None,
) -> tuple[DriveState, Array]:
    """The next ``count`` frames (T, 265) while no motion comes, T >= 1."""
    frames = np.arange(first_frame - 1, first_frame + count)
    rows = _rows(idle_motion(reference, frames, seed, blinks_per_minute, blink_frames))
    return _eased(state, rows[1:], rows[1] - rows[0], first_frame, is_idle=True)


def _eased(
    state: DriveState, rows: Array, speed: Array, first_frame: int, is_idle: bool
) -> tuple[DriveState, Array]:
    """Rows (T, D), joined to what was shown; ``speed`` (D,) is that of their first frame."""
    if is_idle != state.is_idle and len(state.shown):
        was = state.shown[-1] - state.shown[0]
        gap = state.shown[-1] - (rows[0] - speed)
        state = replace(state, gap=gap, gap_speed=was - speed, begin_frame=first_frame)
    state = replace(state, is_idle=is_idle)
    since = np.arange(first_frame, first_frame + len(rows)) - state.begin_frame
    share = np.minimum((since + 1) / EASE_FRAMES, 1)[:, None].astype(np.float32)
    gap = state.gap * (1 - share * share * (3 - 2 * share))
    carried = state.gap_speed * EASE_FRAMES * share * (1 - share) ** 2
    eased = np.asarray(rows + gap + carried, np.float32)
    shown = np.concatenate([state.shown, eased])[-2:]
    return replace(state, shown=shown), _frames(eased)


def _rows(frames: Array) -> Array:
    motion = unpack(frames)
    pose = np.stack([motion.scale, motion.pitch, motion.yaw, motion.roll], axis=1)
    return np.concatenate([pose, motion.t, motion.exp], axis=1)


def _frames(rows: Array) -> Array:
    scale, pitch, yaw, roll = rows[:, :4].T
    return pack(Motion(scale, pitch, yaw, roll, rows[:, 4:7], rows[:, 7:]))
