"""Pictures and speech of a video file, on the clock that everything here shares: 25 frames/s."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.media.audio import SAMPLE_RATE_HZ
from ditto.media.measured_mp4 import decoded_sound

Image = NDArray[np.uint8]
Samples = NDArray[np.float32]

FRAME_RATE = 25
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE
LONGEST_SECONDS = 1200.0


def frames(video: Path | bytes, seconds: float = LONGEST_SECONDS) -> Iterator[Image]:
    """RGB pictures (H, W, 3): for each 25th of a second the one shown then, at most `seconds`.

    Raises `CorruptDataError` when the file cannot be decoded.
    """
    shown: Image | None = None
    index = 0
    for time_s, image in _decoded(video):
        while shown is not None and index / FRAME_RATE < time_s - 1e-3:
            if index >= seconds * FRAME_RATE:
                return
            yield shown
            index += 1
        shown = image
    if shown is not None and index < seconds * FRAME_RATE:
        yield shown


def speech(video: Path | bytes) -> Samples:
    """(n,) the sound at 16 kHz mono from the first picture on; empty where there is none."""
    data = video if isinstance(video, bytes) else video.read_bytes()
    try:
        with av.open(BytesIO(data), "r") as container:
            has_sound = bool(container.streams.audio)
        return decoded_sound(data) if has_sound else np.zeros(0, np.float32)
    except av.FFmpegError as error:
        raise CorruptDataError(f"the sound cannot be decoded: {error}") from error


def _decoded(video: Path | bytes) -> Iterator[tuple[float, Image]]:
    source = BytesIO(video) if isinstance(video, bytes) else str(video)
    try:
        with av.open(source, "r") as container:
            for frame in container.decode(video=0):
                yield frame.time or 0.0, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, IndexError) as error:
        name = "the answer" if isinstance(video, bytes) else video
        raise CorruptDataError(f"{name}: not a video: {error}") from error
