"""A recording on disk as the speech of a call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ditto.errors import InvalidInputError
from ditto.media.audio import SAMPLE_RATE_HZ, AudioReader
from ditto.v1.types_pb2 import AUDIO_ENCODING_S16LE, AUDIO_ENCODING_WAV, AudioFormat


@dataclass(frozen=True)
class Speech:
    """What is sent, and what it is worth."""

    audio_format: AudioFormat
    data: bytes
    samples: np.ndarray
    """(n,) float32 at 16 kHz: what the server will hear."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE_HZ


def read_speech(path: Path) -> Speech:
    """A WAV file is sent as it is; any other file that FFmpeg reads is decoded here first.

    Raises `InvalidInputError` when there is no sound in it, `OSError` when it cannot be read.
    """
    data = path.read_bytes()
    if data[:4] == b"RIFF":
        audio_format, samples = AudioFormat(encoding=AUDIO_ENCODING_WAV), _heard(data)
    else:
        samples = _decoded(path)
        audio_format = AudioFormat(encoding=AUDIO_ENCODING_S16LE, sample_rate_hz=SAMPLE_RATE_HZ)
        data = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    if not len(samples):
        raise InvalidInputError("SPEECH", f"{path} has no sound in it")
    return Speech(audio_format, data, samples)


def _heard(wav: bytes) -> np.ndarray:
    reader = AudioReader(None)
    return np.concatenate([reader.feed(wav), reader.finish()])


def _decoded(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
    try:
        with av.open(str(path), "r") as container:
            pieces = [p for frame in container.decode(audio=0) for p in resampler.resample(frame)]
        pieces += resampler.resample(None)
    except (av.FFmpegError, IndexError) as error:
        problem = f"{path} is no recording that can be read ({error}); a WAV file always works"
        raise InvalidInputError("SPEECH", problem) from error
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces] or [np.zeros(0, np.float32)])
