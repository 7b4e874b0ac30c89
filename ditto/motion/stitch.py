"""Generated motion on a portrait: relative driving, eyes, controls, fades (paper 3.2.3, 3.3.3).

Letters: T frames, S source frames (1 for an image), K = 21 keypoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion.frame_control import Controls, FrameControl, controls_of
from ditto.motion.gaze import correct_gaze
from ditto.motion.layout import (
    ANGLE_BINS,
    EXPRESSION,
    EXPRESSION_DIM,
    EYE_KEYPOINTS,
    KEYPOINTS,
    LIP_KEYPOINTS,
    MOTION_DIM,
    PITCH,
    ROLL,
    SCALE,
    TRANSLATION,
    YAW,
    logits_to_degrees,
)
from ditto.motion.mirror import mirror_index
from ditto.motion.rotation import rotation_matrix, transform_keypoints

Array = NDArray[np.float32]
Network = Callable[[Array, Array], Array]
"""Stitching network: source and driving keypoints (T, 21, 3) -> driving keypoints."""

FIELDS = {
    "scale": SCALE,
    "pitch": PITCH,
    "yaw": YAW,
    "roll": ROLL,
    "t": TRANSLATION,
    "exp": EXPRESSION,
}
_POSE = slice(PITCH.start, ROLL.stop)
IMAGE_FIELDS = {"exp": 1.0, "pitch": 1.0, "yaw": 1.0, "roll": 1.0, "t": 1.0}
"""Fields that drive a still portrait, with their factors."""
VIDEO_FIELDS = {"exp": 1.0}
"""Fields that drive a portrait video: its own head motion is kept."""


@dataclass(frozen=True)
class BlinkTable:
    """Blinks from a table instead of the generated motion of the eyes."""

    deltas: Array
    """(15, 63) expression deltas of one blink."""
    rows: NDArray[np.int64]
    """(N,) table row of each frame, repeated for ever; see `ditto.motion.blink`."""


@dataclass(frozen=True)
class StitchOptions:
    """How generated motion is put on a portrait. The defaults are those of an image."""

    fields: Mapping[str, float] = field(default_factory=lambda: dict(IMAGE_FIELDS))
    """Driven fields and the factor of each; the other fields stay the source's."""
    relative: bool = True
    """Add the change since the anchor to the source, instead of replacing the source."""
    drive_eyes: bool = True
    """Eyes follow the motion (or the blink table), and the gaze is corrected for head turns."""
    blinks: BlinkTable | None = None
    fade_to: str = ""
    """Target of fades: "s" the source, "d0" the anchor driven onto it, "" no fade. A field that a
    control put in degrees fades in degrees; the released code mixes them with bin logits there."""
    fade_fields: tuple[str, ...] = ("exp",)
    defaults: FrameControl = field(default_factory=FrameControl)
    """Control of every frame that says nothing else."""
    gaze_follows_source: bool = False
    """Take the gaze correction against the source frame shown, where the released code uses the
    first frame of a source video throughout."""

    def __post_init__(self) -> None:
        if unknown := {*self.fields, *self.fade_fields} - FIELDS.keys():
            raise InvalidInputError("fields", f"{sorted(unknown)} are not among {sorted(FIELDS)}")
        if self.fade_to not in ("", "s", "d0"):
            raise InvalidInputError("fade_to", f"{self.fade_to!r} is not one of '', 's', 'd0'")


@dataclass(frozen=True)
class StitchSource:
    """A registered portrait: S frames of its own motion."""

    motion: Array
    """(S, 265)"""
    keypoints: Array
    """(S, 63) canonical keypoints."""


def scaled_fields(fields: Mapping[str, float], ratio: float) -> dict[str, float]:
    """The factors for motion made for another face, ``ratio`` = its scale / the source's scale."""
    return {
        name: factor * (ratio if name in ("exp", "pitch", "yaw", "roll") else 1.0)
        for name, factor in fields.items()
    }


def stitch(
    source: StitchSource,
    motion: Array,
    first_frame: int,
    anchor: Array,
    options: StitchOptions,
    controls: Mapping[int, FrameControl] | None = None,
    network: Network | None = None,
) -> tuple[Array, Array]:
    """Keypoints (T, 21, 3) of the source and of the driven face, for motion (T, 265).

    ``first_frame`` numbers the first row, ``anchor`` (265,) is the motion that means no change,
    ``controls`` are by frame number, ``network`` is the stitching network or None to leave it out.
    """
    if motion.ndim != 2 or motion.shape[1] != MOTION_DIM:
        raise InvalidInputError("motion", f"must be (T, {MOTION_DIM}), got {motion.shape}")
    numbers = np.arange(first_frame, first_frame + len(motion))
    shown = mirror_index(numbers, len(source.motion))
    own, canonical = source.motion[shown], source.keypoints[shown].reshape(-1, KEYPOINTS, 3)
    control = controls_of(first_frame, len(motion), controls or {}, options.defaults)

    driven = _drive_face(motion, own, anchor, numbers, options)
    target = own
    if options.fade_to == "d0":
        target = _drive_face(np.broadcast_to(anchor, own.shape), own, anchor, numbers, options)
    driven, angles = _apply_controls(driven, own, target, control, options)
    if options.drive_eyes:
        still = logits_to_degrees(_pose(own if options.gaze_follows_source else source.motion[:1]))
        turned = angles - still
        driven[:, EXPRESSION] = correct_gaze(driven[:, EXPRESSION], turned[:, 1], turned[:, 0])

    x_s = _posed(canonical, own, logits_to_degrees(_pose(own)))
    x_d = _posed(canonical, driven, angles)
    return x_s, x_d if network is None else network(x_s, x_d)


def _drive_face(
    motion: Array, own: Array, anchor: Array, numbers: NDArray[np.int64], options: StitchOptions
) -> Array:
    driven = drive(motion, own, anchor, options)
    exp, own_exp = driven[:, EXPRESSION], own[:, EXPRESSION]
    driven[:, EXPRESSION] = _mix_expression(exp, own_exp, numbers, options)
    return driven


def drive(motion: Array, own: Array, anchor: Array, options: StitchOptions) -> Array:
    """Source motion (T, 265) with the driven fields changed (relative) or replaced (absolute)."""
    factors = np.zeros(MOTION_DIM, np.float32)
    for name, factor in options.fields.items():
        factors[FIELDS[name]] = factor
    if options.relative:
        return own + (motion - anchor) * factors
    return np.where(factors != 0, motion * factors, own)


def _mix_expression(
    driving: Array, own: Array, numbers: NDArray[np.int64], options: StitchOptions
) -> Array:
    """Lips from the driving, eyes from it or from the blink table, everything else the source's."""
    lips, eyes = _region(LIP_KEYPOINTS), _region(EYE_KEYPOINTS)
    if not options.drive_eyes:
        return np.where(lips, driving, own)
    if options.blinks is None:
        return np.where(lips | eyes, driving, own)
    rows = options.blinks.rows[numbers % len(options.blinks.rows)]
    return np.where(lips, driving, own) + options.blinks.deltas[rows] * eyes


def _region(keypoints: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros((KEYPOINTS, 3), bool)
    mask[list(keypoints)] = True
    return mask.reshape(EXPRESSION_DIM)


def _apply_controls(
    driven: Array, own: Array, target: Array, control: Controls, options: StitchOptions
) -> tuple[Array, Array]:
    """Driven motion (T, 265) and its head angles (T, 3), after controls and fades."""
    driven = driven.copy()
    exp = driven[:, EXPRESSION]
    exp = exp * control.vad_alpha + own[:, EXPRESSION] * (1 - control.vad_alpha)
    driven[:, EXPRESSION] = exp + control.exp_delta
    logits = _pose(driven) * control.pose_alpha[..., None]
    degrees = (logits_to_degrees(_pose(driven)) + control.pose_delta) * control.pose_alpha
    target_pose = _pose(target)
    target_degrees = logits_to_degrees(target_pose)
    for name in options.fade_fields if options.fade_to else ():
        alpha = control.fade_alpha
        part = FIELDS[name]
        if name in _ANGLES:
            angle = _ANGLES.index(name)
            logits[:, angle] = logits[:, angle] * alpha + target_pose[:, angle] * (1 - alpha)
            mix = degrees[:, angle] * alpha[:, 0] + target_degrees[:, angle] * (1 - alpha[:, 0])
            degrees[:, angle] = mix
        else:
            driven[:, part] = driven[:, part] * alpha + target[:, part] * (1 - alpha)
    return driven, np.where(control.pose_in_degrees, degrees, logits_to_degrees(logits))


_ANGLES = ("pitch", "yaw", "roll")


def _pose(motion: Array) -> Array:
    return motion[:, _POSE].reshape(len(motion), 3, ANGLE_BINS)


def _posed(canonical: Array, motion: Array, angles: Array) -> Array:
    return transform_keypoints(
        canonical,
        rotation_matrix(*angles.T),
        motion[:, EXPRESSION],
        motion[:, 0] + 1,
        motion[:, TRANSLATION],
    )
