"""A recording on disk as the speech of a call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ditto.errors import InvalidInputError
from ditto.media.audio import SAMPLE_RATE_HZ, AudioReader

_LIVE_PIECE_SAMPLES = SAMPLE_RATE_HZ // 50
"""20 ms, as a microphone sends them."""


@dataclass(frozen=True)
class Speech:
    """What is sent, and what the server will hear."""

    data: bytes
    """A WAV file, or S16LE at 16 kHz."""
    samples: np.ndarray
    """(n,) float32 at 16 kHz."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE_HZ

    def live(self) -> Iterator[bytes]:
        """S16LE pieces, each as its time passes."""
        begun = time.monotonic()
        for start in range(0, len(self.samples), _LIVE_PIECE_SAMPLES):
            piece = self.samples[start : start + _LIVE_PIECE_SAMPLES]
            due = begun + (start + len(piece)) / SAMPLE_RATE_HZ
            time.sleep(max(0.0, due - time.monotonic()))
            yield _s16le(piece)


def read_speech(path: Path) -> Speech:
    """A WAV file is sent as it is; any other file that FFmpeg reads is decoded here first.

    Raises `InvalidInputError` when there is no sound in it, `OSError` when it cannot be read.
    """
    data = path.read_bytes()
    if data[:4] == b"RIFF":
        reader = AudioReader(None)
        samples = np.concatenate([reader.feed(data), reader.finish()])
    else:
        samples = _decoded(path)
        data = _s16le(samples)
    if not len(samples):
        raise InvalidInputError("SPEECH", f"{path} has no sound in it")
    return Speech(data, samples)


def _s16le(samples: np.ndarray) -> bytes:
    pcm: bytes = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


def _decoded(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
    try:
        with av.open(str(path), "r") as container:
            if not container.streams.audio:
                return np.zeros(0, np.float32)
            pieces = [p for frame in container.decode(audio=0) for p in resampler.resample(frame)]
        pieces += resampler.resample(None)
    except av.FFmpegError as error:
        problem = f"{path} is no recording that can be read ({error}); a WAV file always works"
        raise InvalidInputError("SPEECH", problem) from error
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces] or [np.zeros(0, np.float32)])
