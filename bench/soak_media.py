"""What the callers of a soak send: small portraits, real speech."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from ditto.cli.speech_file import read_speech

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def portraits() -> list[bytes]:
    """The example in a few sizes: the caches fill once."""
    image, files = Image.open(EXAMPLES / "astronaut.jpg"), []
    for size in (384, 448, 512):
        file = io.BytesIO()
        image.resize((size, size)).save(file, "JPEG", quality=92)
        files.append(file.getvalue())
    return files


def speech() -> bytes:
    """The example recording as 16 kHz S16LE."""
    samples = read_speech(EXAMPLES / "speech.wav").samples
    pcm: bytes = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm
