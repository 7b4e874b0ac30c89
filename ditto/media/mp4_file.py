"""Frames and speech to an ordinary MP4 file, for a client that keeps what it received."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, InvalidInputError

Image = NDArray[np.uint8]


def write_mp4(
    path: Path,
    frames: Iterable[Image | bytes],
    speech: NDArray[np.float32],
    fps: int = 25,
    sample_rate_hz: int = 16_000,
    quality: int = 90,
) -> int:
    """Write RGB frames (H, W, 3), or JPEG files, with mono speech (n,); gives the frame count.

    Odd sizes lose their last row or column. Raises `InvalidInputError` when there is no frame and
    `CorruptDataError` for bytes that are no JPEG.
    """
    images = (_as_image(frame) for frame in frames)
    first = next(images, None)
    if first is None:
        raise InvalidInputError("frames", "there are none to write")
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, first, fps, quality)
        audio = container.add_stream("aac", rate=sample_rate_hz, layout="mono", bit_rate=96_000)
        heard = 0
        for count, image in enumerate(chain([first], images), 1):
            container.mux(video.encode(_picture(image, count - 1, video)))
            until = count * sample_rate_hz // fps  # keeps the tracks interleaved in the file
            _add_speech(container, audio, speech[:until], heard)
            heard = until
        _add_speech(container, audio, speech, heard)
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return count


def _video_stream(container: OutputContainer, first: Image, fps: int, quality: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=fps)
    stream.height, stream.width = (side - side % 2 for side in first.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.options = {"crf": str(round(51 - 0.36 * quality)), "preset": "veryfast"}
    return stream


def _picture(image: Image, index: int, stream: VideoStream) -> av.VideoFrame:
    planes = cv2.cvtColor(image[: stream.height, : stream.width], cv2.COLOR_RGB2YUV_I420)
    picture = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
    picture.pts, picture.time_base = index, 1 / Fraction(stream.codec_context.framerate)
    return picture


def _add_speech(
    container: OutputContainer, stream: AudioStream, speech: NDArray[np.float32], start: int
) -> None:
    if start >= len(speech):
        return
    block = np.ascontiguousarray(speech[None, start:], np.float32)
    sound = av.AudioFrame.from_ndarray(block, "fltp", "mono")
    sound.sample_rate, sound.pts = stream.codec_context.sample_rate, start
    container.mux(stream.encode(sound))


def _as_image(frame: Image | bytes) -> Image:
    if not isinstance(frame, bytes):
        return frame
    decoded = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR_RGB)
    if decoded is None:
        raise CorruptDataError("a frame that is no JPEG image")
    return np.asarray(decoded, np.uint8)
