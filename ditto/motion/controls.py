"""How strongly a call's motion is applied, and from which frame on.

Every change is eased in over `EASE_FRAMES`, so that a control never makes the face jump. T frames,
P controls that wait, V = 7 values of a `MotionControl`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion.gains import shape

Array = NDArray[np.float32]

EASE_FRAMES = 10
"""A control is in full effect after so many frames, 0.4 s at 25 frames a second."""
MAX_PENDING = 32
"""Controls of one call that may wait for their frame."""


@dataclass(frozen=True)
class MotionControl:
    """Gains 0 to 2 and pose offsets in degrees. Raises `InvalidInputError` outside the ranges."""

    mouth_gain: float = 1.0
    head_gain: float = 1.0
    """Rotation and translation."""
    eye_gain: float = 1.0
    """Lids and gaze."""
    expression_gain: float = 1.0
    """Brows, cheeks, and the smile or frown of an emotion."""
    pitch_offset_degrees: float = 0.0
    """Positive looks down. +-20."""
    yaw_offset_degrees: float = 0.0
    """Positive turns to the image's right. +-25."""
    roll_offset_degrees: float = 0.0
    """Positive tilts clockwise in the image. +-20."""

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high = _range_of(field.name)
            value = getattr(self, field.name)
            if not low <= value <= high:
                raise InvalidInputError(
                    f"control.{field.name}", f"{value:g}; allowed: {low:g} to {high:g}"
                )


def _range_of(name: str) -> tuple[float, float]:
    if name.endswith("_gain"):
        return 0.0, 2.0
    return (-25.0, 25.0) if name.startswith("yaw") else (-20.0, 20.0)


_NEUTRAL = np.array(astuple(MotionControl()), np.float32)


@dataclass(frozen=True)
class ControlState:
    """The controls of one call: what is in effect, and what waits for its frame."""

    origin: Array
    """(V,) values before the control in effect."""
    target: Array
    """(V,) values of the control in effect."""
    begin_frame: int
    """First frame of the control in effect."""
    pending_frames: NDArray[np.int64]
    """(P,) first frames of the controls that wait, in order."""
    pending: Array
    """(P, V) their values."""


def init_state(control: MotionControl | None = None) -> ControlState:
    """Start a call; its first control holds from the first frame on, without easing."""
    values = _NEUTRAL if control is None else np.array(astuple(control), np.float32)
    return ControlState(
        origin=values,
        target=values,
        begin_frame=0,
        pending_frames=np.zeros(0, np.int64),
        pending=np.zeros((0, len(values)), np.float32),
    )


def schedule(state: ControlState, control: MotionControl, from_frame: int) -> ControlState:
    """Let a control take over from a frame on; a frame that has passed means the next one.

    Raises `InvalidInputError` when too many controls wait already.
    """
    keep = state.pending_frames != from_frame
    frames = np.append(state.pending_frames[keep], from_frame)
    if len(frames) > MAX_PENDING:
        raise InvalidInputError(
            "control.from_frame", f"{MAX_PENDING} controls wait for their frame already"
        )
    values = np.append(state.pending[keep], [astuple(control)], axis=0).astype(np.float32)
    order = np.argsort(frames, kind="stable")
    return replace(state, pending_frames=frames[order].astype(np.int64), pending=values[order])


def apply(
    state: ControlState, first_frame: int, motion: Array, reference: Array
) -> tuple[ControlState, Array]:
    """Shape motion (T, 265), whose row 0 is ``first_frame``; reference is m_ref, (265,)."""
    rows = []
    for frame in range(first_frame, first_frame + len(motion)):
        state = _take_over(state, frame)
        rows.append(_eased(state, frame + 1))
    values = np.array(rows, np.float32).reshape(-1, len(_NEUTRAL))  # T V
    changed = (values != _NEUTRAL).any(axis=1)
    if not changed.any():
        return state, motion
    result = motion.copy()
    result[changed] = shape(motion[changed], reference, values[changed, :4], values[changed, 4:])
    return state, result


def _take_over(state: ControlState, frame: int) -> ControlState:
    """Let the last of the controls that are due at this frame begin."""
    due = int(np.searchsorted(state.pending_frames, frame, side="right"))
    if due == 0:
        return state
    return ControlState(
        origin=_eased(state, frame),
        target=state.pending[due - 1],
        begin_frame=frame,
        pending_frames=state.pending_frames[due:],
        pending=state.pending[due:],
    )


def _eased(state: ControlState, frame: int) -> Array:
    share = min((frame - state.begin_frame) / EASE_FRAMES, 1.0)
    smooth = np.float32(share * share * (3 - 2 * share))
    if smooth == 1:
        return state.target
    return np.asarray(state.origin + smooth * (state.target - state.origin), np.float32)
