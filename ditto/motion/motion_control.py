"""What a caller may say about how the face moves: every value, its default and its range.

A value that is not given stays as it is. Values travel as one vector (V,): the scalars in the order
of `SCALARS`, then an added amount for each named control of `ditto.motion.semantics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion import arkit, semantics

Array = NDArray[np.float32]

MAX_TRACK_KEYS = 2000
UNSET = -1.0
"""Default of what the pack, or the call's settings, decide."""
_HOUR_FRAMES = 90_000


@dataclass(frozen=True)
class Scalar:
    """One number of a control."""

    default: float
    low: float
    high: float
    is_eased: bool = True
    """False for counts and switches, which hold at once."""


def _gain() -> Scalar:
    return Scalar(1, 0, 2)


SCALARS: dict[str, Scalar] = {
    "mouth_gain": _gain(),
    "head_gain": _gain(),
    "eye_gain": _gain(),
    "expression_gain": _gain(),
    "lips_gain": _gain(),
    "jaw_gain": _gain(),
    "brows_gain": _gain(),
    "cheeks_gain": _gain(),
    "neck_gain": _gain(),
    "expression_limit": Scalar(1, 0, 1),
    "head_limit_degrees": Scalar(30, 0, 45),
    "pitch_offset_degrees": Scalar(0, -20, 20),
    "yaw_offset_degrees": Scalar(0, -25, 25),
    "roll_offset_degrees": Scalar(0, -20, 20),
    "pose_weight": Scalar(0, 0, 1),
    "look_at_yaw_degrees": Scalar(0, -45, 45),
    "look_at_pitch_degrees": Scalar(0, -30, 30),
    "look_at_weight": Scalar(0, 0, 1),
    "look_at_head_share": Scalar(0.6, 0, 1),
    "gaze_yaw_degrees": Scalar(0, -30, 30),
    "gaze_pitch_degrees": Scalar(0, -20, 20),
    "gaze_weight": Scalar(0, 0, 1),
    "gaze_correction": Scalar(1, 0, 1),
    "look_away_degrees": Scalar(0, 0, 25),
    "look_away_min_frames": Scalar(240, 1, 600, is_eased=False),
    "look_away_range_frames": Scalar(90, 1, 600, is_eased=False),
    "squint": Scalar(0, 0, 1),
    "eyes_closed": Scalar(0, 0, 1),
    "blink_now_frames": Scalar(0, 2, 150, is_eased=False),
    "blinks_per_minute": Scalar(UNSET, 0, 120, is_eased=False),
    "blink_frames": Scalar(UNSET, 2, 150, is_eased=False),
    "saccade_gain": Scalar(1, 0, 2, is_eased=False),
    "emotion": Scalar(UNSET, 0, 7, is_eased=False),
    "emotion_intensity": Scalar(UNSET, 0, 1, is_eased=False),
}

COLUMN = {name: column for column, name in enumerate(SCALARS)}
AMOUNTS = slice(len(SCALARS), len(SCALARS) + len(semantics.control_names()))
POSE_ANGLES = ("pitch", "yaw", "roll")

DEFAULTS: Array = np.array(
    [scalar.default for scalar in SCALARS.values()] + [0.0] * len(semantics.control_names()),
    np.float32,
)
EASED: NDArray[np.bool_] = np.array(
    [scalar.is_eased for scalar in SCALARS.values()] + [True] * len(semantics.control_names())
)


@dataclass(frozen=True)
class MotionControl:
    """A change of how the face moves; None leaves a value as it is.

    Angles are in degrees: pitch positive down, yaw positive to the image's right, roll positive
    clockwise in the image. Raises `InvalidInputError` naming a value outside its range.
    """

    mouth_gain: float | None = None
    head_gain: float | None = None
    """Rotation and translation."""
    eye_gain: float | None = None
    """Lids and gaze."""
    expression_gain: float | None = None
    """Brows, cheeks, and the smile or frown of an emotion."""
    lips_gain: float | None = None
    jaw_gain: float | None = None
    brows_gain: float | None = None
    cheeks_gain: float | None = None
    neck_gain: float | None = None
    """What moves next to the neck: the jaw's drop and the head's translation."""
    expression_limit: float | None = None
    """Share of every named control's range that may be used."""
    head_limit_degrees: float | None = None
    """Largest turn away from the portrait's own pose, each angle."""
    pitch_offset_degrees: float | None = None
    yaw_offset_degrees: float | None = None
    roll_offset_degrees: float | None = None
    pose_weight: float | None = None
    """How much of `pose_track` replaces the generated pose."""
    look_at_yaw_degrees: float | None = None
    look_at_pitch_degrees: float | None = None
    """Direction of what is looked at; the head takes its share, the eyes the rest."""
    look_at_weight: float | None = None
    look_at_head_share: float | None = None
    gaze_yaw_degrees: float | None = None
    gaze_pitch_degrees: float | None = None
    """Where the eyes look as the camera sees it; 0, 0 is the camera."""
    gaze_weight: float | None = None
    """How much of the generated glances the target replaces."""
    gaze_correction: float | None = None
    """How much the eyes compensate turns of the head."""
    look_away_degrees: float | None = None
    """Furthest of the natural looks to the side; 0 for none."""
    look_away_min_frames: float | None = None
    look_away_range_frames: float | None = None
    """Looks begin this minimum plus up to this range apart."""
    squint: float | None = None
    eyes_closed: float | None = None
    blink_now_frames: float | None = None
    """Blink once, in so many frames, as the control begins."""
    blinks_per_minute: float | None = None
    blink_frames: float | None = None
    """Frames of one natural blink."""
    saccade_gain: float | None = None
    """Size of the small natural glances."""
    emotion: float | None = None
    """Index in `ditto.stages.EMOTIONS`."""
    emotion_intensity: float | None = None
    amounts: Mapping[str, float] = field(default_factory=dict)
    """Added amounts of named controls or ARKit blendshapes, -1 to 1."""
    pose_track: Array | None = None
    """(N, 4) rows of frame after the control's first, pitch, yaw, roll; absolute degrees."""
    reset: bool = False
    """Take defaults for what is not given."""

    def __post_init__(self) -> None:
        for name, scalar in SCALARS.items():
            value = getattr(self, name)
            if value is not None:
                _require_within(name, value, scalar.low, scalar.high)
        for name, amount in self.amounts.items():
            if name not in arkit.known_names():
                allowed = ", ".join(sorted(arkit.known_names()))
                raise InvalidInputError("control.blendshapes", f"{name!r}; allowed: {allowed}")
            _require_within(f"blendshapes[{name}]", amount, -1, 1)
        if self.pose_track is not None:
            _check_track(self.pose_track)

    def vector(self) -> Array:
        """(V,) values, NaN where one stays as it is."""
        rest: Array = DEFAULTS if self.reset else np.full_like(DEFAULTS, np.nan)
        values = np.array(rest)
        for name, column in COLUMN.items():
            if (given := getattr(self, name)) is not None:
                values[column] = given
        if self.pose_track is not None and self.pose_weight is None:
            values[COLUMN["pose_weight"]] = 1
        if self.amounts:
            values[AMOUNTS] = arkit.to_controls(self.amounts)
        return values


def _require_within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidInputError(f"control.{name}", f"{value:g}; allowed: {low:g} to {high:g}")


def _check_track(track: Array) -> None:
    if track.ndim != 2 or track.shape[1] != 4 or not 1 <= len(track) <= MAX_TRACK_KEYS:
        raise InvalidInputError(
            "control.pose_track", f"shape {track.shape}; allowed: 1 to {MAX_TRACK_KEYS} keys"
        )
    frames = track[:, 0]
    if not (np.diff(frames) > 0).all() or not 0 <= frames[0] <= frames[-1] <= _HOUR_FRAMES:
        raise InvalidInputError(
            "control.pose_track", f"frames must rise, within 0 to {_HOUR_FRAMES}"
        )
    if not (np.abs(track[:, 1:]) <= 45).all():
        raise InvalidInputError("control.pose_track", "angles outside -45 to 45 degrees")


assert {f.name for f in fields(MotionControl)} >= SCALARS.keys()
