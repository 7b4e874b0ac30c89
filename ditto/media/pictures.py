"""The pictures of a video file as it plays at one rate, upright."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from numpy.typing import NDArray

from ditto.errors import InvalidInputError

Image = NDArray[np.uint8]


MAX_PICTURES = 15_000


def pictures_of(video: Path, frame_rate: int) -> Iterator[Image]:
    """`pictures_at` of a file. Raises `InvalidInputError` for one that is no video or too long."""
    try:
        with av.open(str(video), mode="r") as container:
            if not container.streams.video:
                raise InvalidInputError("video", f"{video} has no pictures")
            for number, picture in enumerate(pictures_at(container, frame_rate)):
                if number == MAX_PICTURES:
                    raise InvalidInputError(
                        "video",
                        f"{video} has more than {MAX_PICTURES} frames at {frame_rate} a second",
                    )
                yield picture
    except av.FFmpegError as error:
        raise InvalidInputError("video", f"{video}: {error}") from None


def pictures_at(container: InputContainer, frame_rate: int) -> Iterator[Image]:
    """RGB pictures (H, W, 3) of an open file, at each 1/``frame_rate`` s the one that is shown.

    A slower video repeats pictures, a faster one loses some; one without times counts as of this
    rate. Raises `av.FFmpegError` for damaged files.
    """
    shown: VideoFrame | None = None
    start_s, given = 0.0, 0
    for frame in container.decode(video=0):
        at_s = given / frame_rate if frame.time is None else frame.time
        if shown is None:
            start_s = at_s
        else:
            until = _ticks(at_s - start_s, frame_rate)
            yield from _repeat(shown, until - given)
            given = max(given, until)
        shown = frame
    if shown is not None:
        at_s = given / frame_rate if shown.time is None else shown.time - start_s
        end_s = at_s + _length_s(shown, 1 / frame_rate)
        yield from _repeat(shown, max(_ticks(end_s, frame_rate), 1) - given)


def _length_s(frame: VideoFrame, usual_s: float) -> float:
    return (
        float(frame.duration * frame.time_base) if frame.duration and frame.time_base else usual_s
    )


def _ticks(moment_s: float, frame_rate: int) -> int:
    """Ticks before a moment; one that falls on it, or nearly, is not before it."""
    return math.ceil(moment_s * frame_rate - 0.02)


def _repeat(frame: VideoFrame, times: int) -> Iterator[Image]:
    if times > 0:
        image = upright(frame)
        for _ in range(times):
            yield image


def upright(frame: VideoFrame) -> Image:
    """A decoded picture as RGB, turned as the file's rotation says."""
    image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image
