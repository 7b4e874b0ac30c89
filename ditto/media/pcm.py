"""Interleaved PCM bytes to mono float samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError

Samples = NDArray[np.float32]
SampleType = Literal["u8", "s16le", "s24le", "s32le", "f32le"]

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 192_000
MAX_CHANNELS = 8

_SAMPLE_BYTES = {"u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4}


@dataclass(frozen=True)
class PcmFormat:
    """How PCM bytes are written. Raises `InvalidInputError` for what is outside the limits."""

    sample_type: SampleType = "s16le"
    sample_rate_hz: int = 16_000
    channels: int = 1

    def __post_init__(self) -> None:
        if self.sample_type not in get_args(SampleType):
            allowed = ", ".join(get_args(SampleType))
            raise InvalidInputError(
                "audio_format.encoding", f"{self.sample_type} is unknown; allowed: {allowed}"
            )
        if not MIN_RATE_HZ <= self.sample_rate_hz <= MAX_RATE_HZ:
            raise InvalidInputError(
                "audio_format.sample_rate_hz",
                f"{self.sample_rate_hz} Hz; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}",
            )
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise InvalidInputError(
                "audio_format.channels", f"{self.channels}; allowed: 1 to {MAX_CHANNELS}"
            )

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return _SAMPLE_BYTES[self.sample_type] * self.channels


def decode_pcm(data: bytes | memoryview, pcm: PcmFormat) -> Samples:
    """Whole frames of bytes to mono samples (n,) in [-1, 1]; channels are averaged.

    Louder float samples are clipped. Raises `InvalidInputError` for NaN and infinity.
    """
    samples = _as_float(data, pcm.sample_type)
    if not np.isfinite(samples).all():
        raise InvalidInputError("audio", "holds NaN or infinite samples; allowed: finite numbers")
    mono = samples.reshape(-1, pcm.channels).mean(axis=1, dtype=np.float64)
    clipped: Samples = np.clip(mono, -1.0, 1.0).astype(np.float32)
    return clipped


def _as_float(data: bytes | memoryview, sample_type: SampleType) -> NDArray[np.floating]:
    if sample_type == "f32le":
        return np.frombuffer(data, "<f4")
    if sample_type == "u8":
        return (np.frombuffer(data, np.uint8) - np.float32(128)) / np.float32(128)
    if sample_type == "s16le":
        return np.frombuffer(data, "<i2") / np.float32(2**15)
    if sample_type == "s32le":
        return np.frombuffer(data, "<i4") / np.float64(2**31)
    widened = np.zeros((len(data) // 3, 4), np.uint8)
    widened[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return widened.view("<i4")[:, 0] / np.float32(2**31)
