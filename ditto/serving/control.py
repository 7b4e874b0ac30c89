"""The contract's motion control in the words of the library."""

from __future__ import annotations

from typing import Any

import numpy as np

from ditto.errors import InvalidInputError
from ditto.motion.arkit import known_names
from ditto.motion.head_control import quaternion_to_degrees
from ditto.motion.motion_control import MAX_TRACK_KEYS, SCALARS, Array, MotionControl
from ditto.stages import EMOTIONS
from ditto.v1 import types_pb2 as types

_NESTED = {
    "look_at": (
        ("yaw_degrees", "look_at_yaw_degrees", 0.0),
        ("pitch_degrees", "look_at_pitch_degrees", 0.0),
        ("weight", "look_at_weight", 1.0),
        ("head_share", "look_at_head_share", 0.6),
    ),
    "gaze": (
        ("yaw_degrees", "gaze_yaw_degrees", 0.0),
        ("pitch_degrees", "gaze_pitch_degrees", 0.0),
        ("weight", "gaze_weight", 1.0),
    ),
    "look_away": (
        ("max_degrees", "look_away_degrees", 0.0),
        ("min_interval_frames", "look_away_min_frames", 240.0),
        ("interval_range_frames", "look_away_range_frames", 90.0),
    ),
}
"""Field of a nested message, its name in the library, and its default where it is absent."""
_WIRE_NAMES = {
    library: f"{message}.{wire}" for message, rows in _NESTED.items() for wire, library, _ in rows
}


def control_of(control: types.MotionControl, field: str = "control") -> MotionControl:
    """What a control says, everything else left open.

    Raises `InvalidInputError` naming the field, its prefix being ``field``.
    """
    if control.from_frame < 0:
        raise InvalidInputError(f"{field}.from_frame", f"is {control.from_frame}; allowed: 0 on")
    _check_lengths(control, field)
    own = control.DESCRIPTOR.fields_by_name.keys() - _NESTED.keys() - {"emotion"}
    values: dict[str, Any] = {
        name: float(getattr(control, name))
        for name in SCALARS.keys() & own
        if control.HasField(name)
    }
    for message, rows in _NESTED.items():
        if control.HasField(message):
            values |= _nested(getattr(control, message), rows)
    if control.emotion != types.EMOTION_UNSPECIFIED:
        values["emotion"] = _emotion(control.emotion, field)
    try:
        return MotionControl(
            **values,
            amounts=dict(control.blendshapes),
            pose_track=_track(control) if control.pose_track else None,
            reset=control.reset,
        )
    except InvalidInputError as error:
        name = error.field.removeprefix("control.")
        raise InvalidInputError(f"{field}.{_WIRE_NAMES.get(name, name)}", error.problem) from None


def _check_lengths(control: types.MotionControl, field: str) -> None:
    """Before anything is made of the lists."""
    if len(control.pose_track) > MAX_TRACK_KEYS:
        raise InvalidInputError(
            f"{field}.pose_track",
            f"has {len(control.pose_track)} keys; allowed: up to {MAX_TRACK_KEYS}",
        )
    if len(control.blendshapes) > len(known_names()):
        raise InvalidInputError(
            f"{field}.blendshapes",
            f"has {len(control.blendshapes)} names; there are {len(known_names())}",
        )


def _nested(message: Any, rows: tuple[tuple[str, str, float], ...]) -> dict[str, float]:
    values = {}
    for wire, library, default in rows:
        has_presence = message.DESCRIPTOR.fields_by_name[wire].has_presence
        is_given = not has_presence or message.HasField(wire)
        values[library] = float(getattr(message, wire)) if is_given else default
    return values


def _emotion(emotion: int, field: str) -> float:
    if not 1 <= emotion <= len(EMOTIONS):
        names = ", ".join(types.Emotion.keys()[1:])
        raise InvalidInputError(f"{field}.emotion", f"is {emotion}; allowed: {names}")
    return float(emotion - 1)


def _track(control: types.MotionControl) -> Array:
    """(N, 4) frame, pitch, yaw, roll."""
    return np.array([(key.frame, *_angles(key)) for key in control.pose_track], np.float32)


def _angles(key: types.PoseKey) -> tuple[float, float, float]:
    if key.WhichOneof("rotation") == "quaternion":
        turn = key.quaternion
        try:
            pitch, yaw, roll = quaternion_to_degrees(turn.x, turn.y, turn.z, turn.w).tolist()
        except ValueError as error:
            raise InvalidInputError("control.pose_track.quaternion", str(error)) from None
        return pitch, yaw, roll
    return key.euler.pitch_degrees, key.euler.yaw_degrees, key.euler.roll_degrees
