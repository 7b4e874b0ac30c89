"""The limits that are checked on requests, as configuration and as GetServerInfo tells them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ditto.errors import CallLimitError, InvalidInputError
from ditto.media.portrait_video import VideoLimits
from ditto.serving.server import MAX_RECEIVE_BYTES
from ditto.v1 import animation_pb2 as pb


class CallLimits(BaseModel):
    """What one call may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    portrait_bytes: int = Field(default=20 * 2**20, ge=1, le=MAX_RECEIVE_BYTES - 2**16)
    """Largest portrait file, in bytes."""
    portrait_pixels: int = Field(default=40_000_000, ge=1)
    """Largest portrait, in pixels, as GetServerInfo tells it; the renderers check theirs."""
    video_seconds: float = Field(default=VideoLimits().seconds, gt=0)
    """Longest portrait video, as GetServerInfo tells it; the renderers check theirs."""
    video_pixels: int = Field(default=VideoLimits().pixels, ge=1)
    """Largest picture of a portrait video, likewise."""
    audio_message_bytes: int = Field(default=2**20, ge=1, le=2**20)
    """Largest audio message, in bytes."""
    speech_seconds: float = Field(default=600.0, gt=0)
    """Most speech that a call may send."""
    call_seconds: float = Field(default=3600.0, gt=0)
    """Longest call."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """Longest wait for a caller's next message while no speech is queued."""
    handshake_timeout_seconds: float = Field(default=5.0, gt=0)
    """Longest wait for the first message of a call, and before for its turn to be read."""


def to_proto(limits: CallLimits, message_bytes: int) -> pb.Limits:
    """The limits as GetServerInfo tells them."""
    return pb.Limits(
        portrait_bytes=limits.portrait_bytes,
        portrait_pixels=limits.portrait_pixels,
        audio_message_bytes=limits.audio_message_bytes,
        speech_seconds=limits.speech_seconds,
        call_seconds=limits.call_seconds,
        idle_seconds=limits.idle_seconds,
        message_bytes=message_bytes,
        video_seconds=limits.video_seconds,
        video_pixels=limits.video_pixels,
    )


def check_portrait(portrait: bytes, limits: CallLimits, field: str = "portrait") -> None:
    """Refuse a portrait file that is empty or too large, before anything reads it."""
    if not 1 <= len(portrait) <= limits.portrait_bytes:
        raise InvalidInputError(
            field, f"has {len(portrait)} bytes; allowed: 1 to {limits.portrait_bytes}"
        )


def check_audio_message(audio: bytes, limits: CallLimits) -> None:
    """Refuse an audio message that is empty or too large."""
    if not 1 <= len(audio) <= limits.audio_message_bytes:
        raise InvalidInputError(
            "audio", f"message of {len(audio)} bytes; allowed: 1 to {limits.audio_message_bytes}"
        )


def check_speech(seconds: float, limits: CallLimits) -> None:
    """End a call that has sent more speech than it may."""
    if seconds > limits.speech_seconds:
        raise CallLimitError(f"speech: a call may send at most {limits.speech_seconds:g} seconds")
