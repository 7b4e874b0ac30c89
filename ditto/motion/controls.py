"""The controls of one call: which is in effect, and how one gives way to the next.

Every change is eased in over `EASE_FRAMES` with the speed that the face had, so that no control
makes it jump, nor one that interrupts another. T frames, P controls that wait, V values and N track
keys of a `MotionControl`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion.eye_control import add_amounts, blink_closure, steer_eyes
from ditto.motion.gains import GAINS, scale_expression
from ditto.motion.head_control import turn_head
from ditto.motion.layout import EXPRESSION
from ditto.motion.motion_control import (
    COLUMN,
    DEFAULTS,
    EASED,
    MAX_TRACK_KEYS,
    POSE_ANGLES,
    MotionControl,
)

Array = NDArray[np.float32]

EASE_FRAMES = 10
"""A control is in full effect after so many frames, 0.4 s at 25 frames a second."""
MAX_PENDING = 32
"""Controls of one call that may wait for their frame."""

_POSE = len(DEFAULTS)
"""The eased values are V numbers and, after them, the three angles of the absolute pose."""
_EASED = np.append(EASED, [True] * len(POSE_ANGLES))
_NO_TRACK = np.zeros((0, 4), np.float32)
_WEIGHT = COLUMN["pose_weight"]
_EXPRESSION_COLUMNS = [COLUMN[name] for name in (*GAINS, "expression_limit")]


@dataclass(frozen=True)
class ControlState:
    """The controls of one call: what is in effect, and what waits for its frame."""

    target: Array
    """(V,) values in effect."""
    track: Array
    """(N, 4) pose keys in effect, by absolute frame."""
    begin_frame: int
    """First frame of the change in effect."""
    gap: Array
    """(V + 3,) what separated the face from the target just before that frame."""
    gap_speed: Array
    """(V + 3,) how fast that changed, a frame."""
    blink_frame: int
    """First frame of a blink that was asked for; its length in frames follows."""
    blink_length: int
    pending_frames: NDArray[np.int64]
    """(P,) first frames of the controls that wait, in order."""
    pending: Array
    """(P, V) their values; NaN leaves one as it is."""
    pending_keys: Array
    """(M, 5) their pose keys, the control's first frame before each."""


def init_state(control: MotionControl | None = None) -> ControlState:
    """Start a call; its first control holds from the first frame on, without easing."""
    still = np.zeros(_POSE + len(POSE_ANGLES), np.float32)
    state = ControlState(
        target=DEFAULTS,
        track=_NO_TRACK,
        begin_frame=-EASE_FRAMES,
        gap=still,
        gap_speed=still,
        blink_frame=-1,
        blink_length=0,
        pending_frames=np.zeros(0, np.int64),
        pending=np.zeros((0, _POSE), np.float32),
        pending_keys=np.zeros((0, 5), np.float32),
    )
    if control is None:
        return state
    state = _take_over(schedule(state, control, 0), 0)
    return replace(state, begin_frame=-EASE_FRAMES, gap=still, gap_speed=still)


def schedule(state: ControlState, control: MotionControl, from_frame: int) -> ControlState:
    """Let a control take over from a frame on; a frame that has passed means the next one.

    Controls of one frame count as one. Raises `InvalidInputError` when too many wait already.
    """
    keep = state.pending_frames != from_frame
    given = control.vector()
    for earlier in state.pending[~keep]:
        given = np.where(np.isnan(given), earlier, given)
    frames = np.append(state.pending_frames[keep], from_frame)
    if len(frames) > MAX_PENDING:
        raise InvalidInputError(
            "control.from_frame", f"{MAX_PENDING} controls wait for their frame already"
        )
    keys = state.pending_keys
    if control.pose_track is not None:
        keys = keys[keys[:, 0] != from_frame]
        own = np.insert(control.pose_track.astype(np.float32), 0, from_frame, axis=1)
        keys = np.append(keys, own, axis=0).astype(np.float32)
    if len(keys) > MAX_TRACK_KEYS:
        raise InvalidInputError(
            "control.pose_track", f"more than {MAX_TRACK_KEYS} keys wait for their frame already"
        )
    values = np.append(state.pending[keep], [given], axis=0).astype(np.float32)
    order = np.argsort(frames, kind="stable")
    return replace(
        state,
        pending_frames=frames[order].astype(np.int64),
        pending=values[order],
        pending_keys=keys,
    )


def advance(state: ControlState, frame: int) -> ControlState:
    """The state with the controls begun that are due at a frame: what a generator must know."""
    return _take_over(state, frame)


def value(state: ControlState, name: str) -> float:
    """One value in effect, not eased; `UNSET` where the pack or the call's settings decide."""
    return float(state.target[COLUMN[name]])


def apply(
    state: ControlState,
    first_frame: int,
    motion: Array,
    reference: Array,
    gaze: Array | None = None,
    seed: int = 0,
) -> tuple[ControlState, Array]:
    """Shape motion (T, 265), whose row 0 is ``first_frame``; reference is m_ref, (265,).

    ``gaze`` is the pack's matrix K (63, 3) for `ditto.motion.eye_control`; None leaves the gaze as
    it was generated. ``seed`` is that of the looks away.
    """
    rows, closures = [], []
    frames = np.arange(first_frame, first_frame + len(motion))
    for frame in frames:
        state = _take_over(state, int(frame))
        rows.append(_values(state, int(frame)))
        closures.append(_closure(state, int(frame)))
    every = np.array(rows, np.float32).reshape(-1, _POSE + len(POSE_ANGLES))
    values, poses = every[:, :_POSE], every[:, _POSE:]
    closure = np.array(closures, np.float32)
    touched = (values != DEFAULTS).any(axis=1) | (closure > 0)
    result = motion
    if touched.any():
        result = motion.copy()
        result[touched] = _shape(
            motion[touched], reference, values[touched], poses[touched], closure[touched]
        )
    if gaze is not None and len(motion):
        result = steer_eyes(result, reference, values, gaze, frames, seed)
    return state, result


def _shape(motion: Array, reference: Array, values: Array, poses: Array, closure: Array) -> Array:
    shaped = motion.copy()
    if (values != DEFAULTS)[:, _EXPRESSION_COLUMNS].any():
        at_rest = reference[EXPRESSION]
        shaped[:, EXPRESSION] = scale_expression(motion[:, EXPRESSION], at_rest, values)
    return add_amounts(turn_head(shaped, reference, values, poses), values, closure)


def _take_over(state: ControlState, frame: int) -> ControlState:
    """Let every control that is due at this frame begin, in order."""
    due = int(np.searchsorted(state.pending_frames, frame, side="right"))
    if due == 0:
        return state
    begun = state
    for row in range(due):
        begun = _merged(begun, state.pending[row], state.pending_keys, frame, row)
    waiting = state.pending_frames[due:]
    begun = replace(
        begun,
        begin_frame=frame,
        pending_frames=waiting,
        pending=state.pending[due:],
        pending_keys=state.pending_keys[np.isin(state.pending_keys[:, 0], waiting)],
    )
    before, earlier = _values(state, frame - 1), _values(state, frame - 2)
    goal, next_goal = _goal(begun, frame - 1), _goal(begun, frame)
    if state.target[_WEIGHT] == 0 and before[_WEIGHT] == 0:  # no pose to come from
        before[_POSE:] = earlier[_POSE:] = goal[_POSE:] = next_goal[_POSE:]
    gap = np.where(_EASED, before - goal, 0)
    speed = np.where(_EASED, (before - earlier) - (next_goal - goal), 0)
    return replace(begun, gap=gap.astype(np.float32), gap_speed=speed.astype(np.float32))


def _merged(state: ControlState, values: Array, keys: Array, frame: int, row: int) -> ControlState:
    """The state with one control's values and track in effect."""
    target = np.where(np.isnan(values), state.target, values).astype(np.float32)
    own = keys[keys[:, 0] == state.pending_frames[row], 1:]
    track = state.track
    if len(own):
        track = own.copy()
        track[:, 0] += frame
    length = values[COLUMN["blink_now_frames"]]
    target[COLUMN["blink_now_frames"]] = 0
    state = replace(state, target=target, track=track)
    is_blinking = frame < state.blink_frame + state.blink_length
    if length > 0 and not is_blinking:
        state = replace(state, blink_frame=frame, blink_length=int(length))
    return state


def _goal(state: ControlState, frame: int) -> Array:
    """(V + 3,) what the control in effect asks for at a frame, easing aside."""
    pose = np.zeros(len(POSE_ANGLES))
    if len(state.track):
        at, *angles = state.track.T
        pose = np.array([np.interp(frame, at, angle) for angle in angles])
    return np.append(state.target, pose).astype(np.float32)


def _values(state: ControlState, frame: int) -> Array:
    """(V + 3,) values at a frame: the goal, and what is left of the gap to it (cubic Hermite)."""
    goal = _goal(state, frame)
    share = (frame + 1 - state.begin_frame) / EASE_FRAMES
    if share >= 1:
        return goal
    share = max(share, 0.0)
    gap = state.gap * (1 - share * share * (3 - 2 * share))
    carried = state.gap_speed * EASE_FRAMES * share * (1 - share) ** 2
    return np.asarray(goal + gap + carried, np.float32)


def _closure(state: ControlState, frame: int) -> float:
    since = frame - state.blink_frame
    if state.blink_frame < 0 or not 0 <= since < state.blink_length:
        return 0.0
    return float(blink_closure(np.array([since]), state.blink_length)[0])
