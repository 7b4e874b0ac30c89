"""Speech of every kind, all made from the one example recording."""

from __future__ import annotations

import json
import struct
import wave
from dataclasses import dataclass

import numpy as np
import soxr

from tests.e2e.portraits import EXAMPLES

RATE_HZ = 16_000


def wav_file() -> bytes:
    """The example recording as it is."""
    return (EXAMPLES / "speech.wav").read_bytes()


def samples() -> np.ndarray:
    """The example recording, (n,) at 16 kHz."""
    with wave.open(str(EXAMPLES / "speech.wav")) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (pcm / 32768).astype(np.float32)


def s16le(sound: np.ndarray) -> bytes:
    """Samples as the contract's default encoding."""
    return np.round(sound * 32767).astype("<i2").tobytes()


def part(start_s: float, end_s: float) -> bytes:
    """S16LE bytes of a part of the example recording."""
    return s16le(samples()[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)])


def wav(
    bits: int, seconds: float, rate_hz: int = RATE_HZ, channels: int = 1, tag: int = 1
) -> bytes:
    """The beginning of the recording as a WAV file of another kind."""
    sound = soxr.resample(samples()[: round(seconds * RATE_HZ)], RATE_HZ, rate_hz)
    body = np.repeat(_pcm(sound, bits, tag), channels, axis=0).tobytes()
    width = bits // 8 * channels
    header = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * width, width, bits)
    chunks = b"fmt " + struct.pack("<I", len(header)) + header
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _pcm(sound: np.ndarray, bits: int, tag: int) -> np.ndarray:
    """(n, bytes) little-endian."""
    if tag == 3:
        return sound.astype("<f4")[:, None]
    if bits == 8:
        return np.round(sound * 127 + 128).astype(np.uint8)[:, None]
    whole = np.round(sound * (2.0 ** (bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8]


@dataclass(frozen=True)
class Phone:
    """One sound of the recording, in seconds."""

    name: str
    start_s: float
    end_s: float


def phones() -> list[Phone]:
    """What is said when."""
    return [
        Phone(*row) for row in json.loads((EXAMPLES / "speech.phones.json").read_text())["phones"]
    ]
