"""WAV files of any layout, from their samples."""

from __future__ import annotations

import io
import wave


def wav_file(pcm: bytes, rate_hz: int = 16_000, channels: int = 1, sample_bytes: int = 2) -> bytes:
    """The file that holds this PCM."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(sample_bytes)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm)
    return file.getvalue()
