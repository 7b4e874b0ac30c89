"""The settings of a call in Python's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

from ditto.errors import InvalidInputError
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types

Portrait = str | Path | bytes | pb.Avatar
"""A file, its bytes, or what `register` gave."""
OnProgress = Callable[[int, int], None]
"""Hears how many pictures of a portrait video are prepared, of how many (0: not counted yet)."""

_VIDEO = {
    "jpeg": types.VIDEO_ENCODING_JPEG,
    "rgb24": types.VIDEO_ENCODING_RGB24,
    "mp4": types.VIDEO_ENCODING_H264_FMP4,
}
_VIEW = {"head": types.VIEW_HEAD, "full": types.VIEW_FULL}
_PACING = {"fast": types.PACING_FAST, "realtime": types.PACING_REALTIME}
_EMOTION = {
    name.removeprefix("EMOTION_").lower(): value
    for name, value in types.Emotion.items()
    if value != types.EMOTION_UNSPECIFIED
}


class AnimateOptions(TypedDict, total=False):
    """Options of `animate`. What is left out takes the server's default."""

    video: Literal["jpeg", "rgb24", "mp4"]
    """Frames as JPEG (default) or raw RGB rows, or an MP4 with sound."""
    quality: int
    """1 to 100, of JPEG and MP4. Default: 85."""
    view: Literal["head", "full"]
    """The head (default), or the whole portrait."""
    pacing: Literal["fast", "realtime"]
    """As soon as ready (default), or 25 frames a second, idling where no speech comes."""
    emotion: str
    """angry, disgust, fear, happy, neutral (default), sad, surprise or contempt."""
    emotion_intensity: float
    """0 to 1. Default: 1."""
    seed: int
    """Equal seeds and speech give equal motion."""
    sampling_steps: int
    """1 to 50; more is slower. Default: the pack's."""
    motion: dict[str, Any]
    """Fields of `MotionControl`, such as mouth_gain or yaw_offset_degrees."""
    pack: str
    """Name of the model pack."""
    sample_rate_hz: int
    """Of speech that is no WAV file. Default: 16000."""


def call_config(
    portrait: Portrait, audio_format: types.AudioFormat, options: AnimateOptions
) -> pb.AnimateConfig:
    """The first message of a call. Raises `InvalidInputError` for a name that is not known."""
    given: dict[str, Any] = dict(options)
    given.pop("sample_rate_hz", None)
    video = types.VideoFormat(
        encoding=_value("video", given.pop("video", "jpeg"), _VIDEO),
        quality=given.pop("quality", 0),
    )
    for name, values in (("view", _VIEW), ("pacing", _PACING), ("emotion", _EMOTION)):
        if name in given:
            given[name] = _value(name, given[name], values)
    if "motion" in given:
        given["motion"] = motion_control(given["motion"])
    config = pb.AnimateConfig(audio_format=audio_format, video_format=video, **given)
    if isinstance(portrait, pb.Avatar):
        config.avatar_id = portrait.avatar_id
    else:
        config.portrait = portrait_bytes(portrait)
    return config


def motion_control(fields: dict[str, Any]) -> types.MotionControl:
    """A control from its fields. Raises `InvalidInputError` for one that does not exist."""
    known = types.MotionControl.DESCRIPTOR.fields_by_name
    if unknown := sorted(fields.keys() - known.keys()):
        raise InvalidInputError("control", f"has no {unknown[0]}; allowed: {', '.join(known)}")
    return types.MotionControl(**fields)


def portrait_bytes(portrait: str | Path | bytes) -> bytes:
    """The bytes of a portrait file."""
    return portrait if isinstance(portrait, bytes) else Path(portrait).read_bytes()


def _value(name: str, given: str, values: dict[str, Any]) -> Any:
    if given not in values:
        raise InvalidInputError(name, f"is {given!r}; allowed: {', '.join(values)}")
    return values[given]
