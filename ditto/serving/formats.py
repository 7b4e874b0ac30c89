"""Enumerations of the contract in the words of the library."""

from __future__ import annotations

from typing import get_args

from ditto.errors import InvalidInputError
from ditto.media.pcm import PcmFormat, SampleType
from ditto.stages import EMOTIONS
from ditto.v1 import types_pb2

DEFAULT_RATE_HZ = 16_000
_SAMPLE_TYPES: dict[int, SampleType] = {
    types_pb2.AUDIO_ENCODING_UNSPECIFIED: "s16le",
    **{
        types_pb2.AudioEncoding.Value(f"AUDIO_ENCODING_{t.upper()}"): t
        for t in get_args(SampleType)
    },
}


def pcm_of(audio_format: types_pb2.AudioFormat) -> PcmFormat | None:
    """The format of PCM speech with defaults filled in; None for a WAV file.

    Raises `InvalidInputError` naming the field.
    """
    if audio_format.encoding == types_pb2.AUDIO_ENCODING_WAV:
        return None
    sample_type = _SAMPLE_TYPES.get(audio_format.encoding)
    if sample_type is None:
        raise InvalidInputError(
            "audio_format.encoding", f"{audio_format.encoding} is not in the contract"
        )
    rate_hz = audio_format.sample_rate_hz or DEFAULT_RATE_HZ
    return PcmFormat(sample_type, rate_hz, audio_format.channels or 1)


def emotion_of(emotion: int) -> str:
    """The name of an emotion, one of `ditto.stages.EMOTIONS`. Raises `InvalidInputError`."""
    if emotion == types_pb2.EMOTION_UNSPECIFIED:
        return "neutral"
    if not 1 <= emotion <= len(EMOTIONS):
        raise InvalidInputError("emotion", f"{emotion} is not in the contract")
    return EMOTIONS[emotion - 1]
