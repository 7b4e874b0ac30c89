"""The settings of an Audio2Face-2D call: defaults, ranges, and what they are in our contract."""

from __future__ import annotations

import math
from typing import Any

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.errors import InvalidInputError
from ditto.motion.motion_control import MAX_TRACK_KEYS
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types

_QUALITY_STEPS = 4
_DEFAULTS: dict[str, Any] = {
    "model_selection": a2f.MODEL_SELECTION_PERF,
    "animation_crop_mode": a2f.ANIMATION_CROPPING_MODE_REGISTRATION_BLENDING,
    "head_pose_mode": a2f.HEAD_POSE_MODE_RETAIN_FROM_PORTRAIT_IMAGE,
    "enable_lookaway": False,
    "lookaway_max_offset": 20,
    "lookaway_interval_range": 90,
    "lookaway_interval_min": 240,
    "blink_frequency": 6,
    "blink_duration": 10,
    "mouth_expression_multiplier": 1.0,
    "head_pose_multiplier": 1.0,
}
_RANGES = {
    "model_selection": (1, 2),
    "animation_crop_mode": (1, 2),
    "head_pose_mode": (1, 3),
    "lookaway_max_offset": (0, 25),
    "lookaway_interval_range": (1, 600),
    "lookaway_interval_min": (1, 600),
    "blink_frequency": (0, 120),
    "blink_duration": (2, 150),
    "mouth_expression_multiplier": (1, 2),
    "head_pose_multiplier": (0, 1),
}


def effective(asked: a2f.AnimateConfig) -> a2f.AnimateConfig:
    """The settings in effect. Raises `InvalidInputError` naming a field that cannot be used."""
    config = a2f.AnimateConfig()
    config.CopyFrom(asked)
    for name, default in _DEFAULTS.items():
        is_enum = name in ("model_selection", "animation_crop_mode", "head_pose_mode")
        if not config.HasField(name) or (is_enum and not getattr(config, name)):
            setattr(config, name, default)
    for name, (low, high) in _RANGES.items():
        value = getattr(config, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise InvalidInputError(name, f"is {value:g}; allowed: {low} to {high}")
    _check_pose(config)
    return config


def to_animate_config(config: a2f.AnimateConfig) -> pb.AnimateConfig:
    """A call of our own contract that does what effective settings say."""
    is_head = config.animation_crop_mode == a2f.ANIMATION_CROPPING_MODE_FACEBOX
    control = types.MotionControl(
        mouth_gain=config.mouth_expression_multiplier,
        blinks_per_minute=config.blink_frequency,
        blink_frames=config.blink_duration,
    )
    if config.enable_lookaway:
        control.look_away.max_degrees = config.lookaway_max_offset
        control.look_away.min_interval_frames = config.lookaway_interval_min
        control.look_away.interval_range_frames = config.lookaway_interval_range
    _set_pose(config, control)
    result = pb.AnimateConfig(
        portrait=config.portrait_image,
        audio_format=types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV),
        video_format=types.VideoFormat(encoding=types.VIDEO_ENCODING_H264_FMP4),
        view=types.VIEW_HEAD if is_head else types.VIEW_FULL,
        motion=control,
    )
    if config.model_selection == a2f.MODEL_SELECTION_QUALITY:
        result.sampling_steps = _QUALITY_STEPS
    return result


def _check_pose(config: a2f.AnimateConfig) -> None:
    rotations = len(config.input_head_rotation.values)
    is_user_defined = config.head_pose_mode == a2f.HEAD_POSE_MODE_USER_DEFINED_ANIMATION
    if is_user_defined and not 1 <= rotations <= MAX_TRACK_KEYS:
        raise InvalidInputError(
            "input_head_rotation",
            f"has {rotations} rotations; USER_DEFINED_ANIMATION allows 1 to {MAX_TRACK_KEYS}",
        )
    if rotations and not is_user_defined:
        raise InvalidInputError(
            "input_head_rotation", "is given; allowed with USER_DEFINED_ANIMATION only"
        )
    if any(move.x or move.y or move.z for move in config.input_head_translation.values):
        raise InvalidInputError(
            "input_head_translation", "moves the head, which is not offered; allowed: none, or 0"
        )


def _set_pose(config: a2f.AnimateConfig, control: types.MotionControl) -> None:
    if config.head_pose_mode == a2f.HEAD_POSE_MODE_PRE_DEFINED_ANIMATION:
        control.head_gain = config.head_pose_multiplier
        return
    control.head_gain = 0
    if config.head_pose_mode == a2f.HEAD_POSE_MODE_USER_DEFINED_ANIMATION:
        control.pose_weight = config.head_pose_multiplier
        for frame, turn in enumerate(config.input_head_rotation.values):
            key = control.pose_track.add(frame=frame)
            key.quaternion.x, key.quaternion.y = turn.x, turn.y
            key.quaternion.z, key.quaternion.w = turn.z, turn.w
