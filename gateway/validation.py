"""Checks a call's settings field by field and fills in the defaults."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ditto.errors import InvalidInputError
from ditto.media.audio import AudioReader
from ditto.motion.layout import MOTION_DIM
from ditto.serving.control import control_of
from ditto.serving.formats import DEFAULT_RATE_HZ, pcm_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from gateway.limits import CallLimits, check_portrait

_DEFAULT_QUALITY = 85
_FLOAT_BYTES = 4
MAX_MOTION_FRAMES = 1024


def effective_config(
    config: pb.AnimateConfig, limits: CallLimits, default_pack: str, frame_rates: dict[str, int]
) -> pb.AnimateConfig:
    """The settings in effect: `config` with its defaults filled in. `frame_rates` are those of the
    packs on offer, by name.

    Raises `InvalidInputError` naming the first field that cannot be used and what is allowed.
    """
    _check_avatar(config, limits)
    _fill_formats(config)
    _fill_motion(config)
    _check_resume_interval(config)
    config.pack = known_pack(config.pack, default_pack, frame_rates)
    config.frame_rate = config.frame_rate or frame_rates[config.pack]
    if config.frame_rate != frame_rates[config.pack]:
        allowed = frame_rates[config.pack]
        raise InvalidInputError("frame_rate", f"is {config.frame_rate}; allowed: {allowed}")
    return config


def known_pack(asked: str, default_pack: str, frame_rates: dict[str, int]) -> str:
    """The pack that is asked for, or the default one. Raises `InvalidInputError` for others."""
    pack = asked or default_pack
    if pack not in frame_rates:
        raise InvalidInputError("pack", f"{pack!r} is unknown; allowed: {', '.join(frame_rates)}")
    return pack


def check_control(control: types.MotionControl, field: str = "control") -> None:
    """Refuse a control outside its ranges."""
    control_of(control, field)


def check_motion(motion: types.FrameBlock) -> int:
    """The number of motion frames in a message. Raises `InvalidInputError` for unusable ones."""
    if motion.dim != MOTION_DIM:
        raise InvalidInputError("motion.dim", f"is {motion.dim}; allowed: {MOTION_DIM}")
    frames, rest = divmod(len(motion.data), _FLOAT_BYTES * MOTION_DIM)
    if rest or not 1 <= frames <= MAX_MOTION_FRAMES:
        raise InvalidInputError(
            "motion.data",
            f"has {len(motion.data)} bytes; allowed: 1 to {MAX_MOTION_FRAMES} frames of "
            f"{_FLOAT_BYTES * MOTION_DIM}",
        )
    if not np.isfinite(np.frombuffer(motion.data, "<f4")).all():
        raise InvalidInputError("motion.data", "holds numbers that are not finite")
    return frames


def audio_reader(audio: types.AudioFormat) -> AudioReader:
    """The reader of a call's speech. Raises `InvalidInputError` for formats outside the limits."""
    return AudioReader(pcm_of(audio))


def _check_avatar(config: pb.AnimateConfig, limits: CallLimits) -> None:
    who = config.WhichOneof("avatar")
    if who is None:
        raise InvalidInputError("avatar", "is missing; give portrait or avatar_id")
    if who == "portrait":
        check_portrait(config.portrait, limits)


def _fill_formats(config: pb.AnimateConfig) -> None:
    audio, video = config.audio_format, config.video_format
    _fill_enum(audio, "encoding", types.AudioEncoding, types.AUDIO_ENCODING_S16LE, "audio_format.")
    if audio.encoding != types.AUDIO_ENCODING_WAV:
        audio.sample_rate_hz = audio.sample_rate_hz or DEFAULT_RATE_HZ
        audio.channels = audio.channels or 1
    audio_reader(audio)
    _fill_enum(video, "encoding", types.VideoEncoding, types.VIDEO_ENCODING_JPEG, "video_format.")
    video.quality = video.quality or _DEFAULT_QUALITY
    _require_within("video_format.quality", video.quality, 1, 100)
    _fill_enum(config, "view", types.View, types.VIEW_HEAD)
    _fill_enum(config, "pacing", types.Pacing, types.PACING_FAST)
    _fill_enum(config, "driving", types.Driving, types.DRIVING_SPEECH)
    if (video.encoding, config.view, config.pacing) == (
        types.VIDEO_ENCODING_RGB24,
        types.VIEW_FULL,
        types.PACING_REALTIME,
    ):
        raise InvalidInputError(
            "video_format.encoding",
            "RGB24 with VIEW_FULL in PACING_REALTIME is too much to send; "
            "allowed with it: JPEG, H264_FMP4, or PACING_FAST, or VIEW_HEAD",
        )


def _fill_motion(config: pb.AnimateConfig) -> None:
    _fill_enum(config, "emotion", types.Emotion, types.EMOTION_NEUTRAL)
    if not config.HasField("emotion_intensity"):
        config.emotion_intensity = 1.0
    _require_within("emotion_intensity", config.emotion_intensity, 0, 1)
    if config.HasField("sampling_steps"):
        _require_within("sampling_steps", config.sampling_steps, 1, 50)
    check_control(config.motion, "motion")


def _check_resume_interval(config: pb.AnimateConfig) -> None:
    if config.resume_interval_ms:
        _require_within("resume_interval_ms", config.resume_interval_ms, 100, 60_000)
    if config.driving == types.DRIVING_MOTION:
        config.resume_interval_ms = 0


def _fill_enum(message: Any, field: str, kind: Any, default: int, prefix: str = "") -> None:
    value = getattr(message, field) or default
    if value not in kind.values():
        names = ", ".join(
            name for name in kind.DESCRIPTOR.values_by_name if not name.endswith("_UNSPECIFIED")
        )
        raise InvalidInputError(prefix + field, f"is {value}; allowed: {names}")
    setattr(message, field, value)


def _require_within(field: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise InvalidInputError(field, f"is {value:g}; allowed: {least:g} to {most:g}")
