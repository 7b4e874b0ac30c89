"""Speech from files, bytes or a live source to the messages of a call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ditto.media.audio import AudioReader
from ditto.v1 import types_pb2 as types

MESSAGE_BYTES = 32 * 1024
DEFAULT_RATE_HZ = 16_000

SpeechSource = str | Path | bytes | Iterable[bytes]
"""A WAV file, its bytes, PCM bytes, or PCM pieces as they come (S16LE mono)."""


def open_speech(
    speech: SpeechSource | None, sample_rate_hz: int = DEFAULT_RATE_HZ
) -> tuple[types.AudioFormat, Iterable[bytes]]:
    """The format of some speech and its pieces. Files and bytes that begin `RIFF` are WAV."""
    pcm = types.AudioFormat(
        encoding=types.AUDIO_ENCODING_S16LE, sample_rate_hz=sample_rate_hz, channels=1
    )
    if isinstance(speech, str | Path):
        speech = Path(speech).read_bytes()
        return types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV), pieces(speech)
    if isinstance(speech, bytes):
        is_wav = speech.startswith(b"RIFF")
        wav = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)
        return wav if is_wav else pcm, pieces(speech)
    return pcm, speech or ()


def pieces(speech: bytes, size: int = MESSAGE_BYTES) -> Iterator[bytes]:
    """Bytes cut to messages."""
    return (speech[at : at + size] for at in range(0, len(speech), size))


def in_real_time(file: str | Path, piece_seconds: float = 0.04) -> Iterator[bytes]:
    """The speech of a WAV file as a microphone would give it: 16 kHz S16LE mono, as time passes."""
    reader = AudioReader(None)
    samples = [reader.feed(Path(file).read_bytes()), reader.finish()]
    pcm = b"".join((part * (2**15 - 1)).astype("<i2").tobytes() for part in samples)
    begun = time.monotonic()
    for number, piece in enumerate(pieces(pcm, 2 * round(piece_seconds * DEFAULT_RATE_HZ))):
        time.sleep(max(0.0, begun + (number + 1) * piece_seconds - time.monotonic()))
        yield piece
