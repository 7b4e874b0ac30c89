"""RGB frames to encoded pictures: JPEG images, or an H.264 stream without any delay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from ditto.errors import InvalidInputError, UnsupportedError

Image = NDArray[np.uint8]

_LEVELS = ((31, 3_600), (40, 8_192), (50, 22_080), (51, 36_864))
"""H.264 levels and the macroblocks of 16x16 pixels that a frame may have (its table A-1)."""


class JpegEncoder:
    """One JPEG image a frame. Raises `InvalidInputError` for a quality outside 1 to 100."""

    def __init__(self, quality: int = 85) -> None:
        _require_quality(quality)
        self._options: Sequence[int] = [cv2.IMWRITE_JPEG_QUALITY, quality]

    def encode(self, frame: Image) -> bytes:
        """RGB (H, W, 3) to the bytes of a JPEG file."""
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", bgr, self._options)
        return data.tobytes()


@dataclass(frozen=True)
class AccessUnit:
    """One encoded H.264 frame."""

    data: bytes
    """Annex B; a keyframe begins with its parameter sets."""
    is_keyframe: bool


class H264Encoder:
    """Constrained-baseline H.264, one access unit out for each frame in.

    Equal settings give equal parameter sets, so another encoder can take over at a keyframe. The
    size is rounded down to even numbers, `width` and `height`, and frames are cropped to it.
    `codec` is any encoder of the installed PyAV: `libx264`, `libopenh264`, `h264_nvenc`.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: int = 25,
        quality: int = 85,
        keyframe_interval_frames: int = 250,
        codec: str = "libx264",
    ) -> None:
        _require_quality(quality)
        self.width, self.height = width - width % 2, height - height % 2
        self._frames = 0
        self._context = cast(VideoCodecContext, av.CodecContext.create(codec, "w"))
        self._context.width, self._context.height = self.width, self.height
        self._context.pix_fmt = "yuv420p"
        self._context.time_base = Fraction(1, fps)
        self._context.framerate = Fraction(fps)
        self._context.gop_size = keyframe_interval_frames
        self._context.max_b_frames = 0
        self._context.thread_count = 1
        self._context.options = _options(codec, quality, level_of(self.width, self.height))
        self._context.open()

    def encode(self, frame: Image, force_keyframe: bool = False) -> AccessUnit:
        """RGB (H, W, 3) to its access unit; the first is a keyframe."""
        cropped = frame[: self.height, : self.width]
        planes = np.asarray(cv2.cvtColor(cropped, cv2.COLOR_RGB2YUV_I420), np.uint8)
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts = self._frames
        if force_keyframe or self._frames == 0:
            picture.pict_type = av.video.frame.PictureType.I
        self._frames += 1
        (packet,) = self._context.encode(picture)
        return AccessUnit(bytes(packet), packet.is_keyframe)


def level_of(width: int, height: int) -> int:
    """Ten times the lowest H.264 level, from 3.1 on, for frames of this size.

    Raises `UnsupportedError` for frames that players cannot be expected to take.
    """
    macroblocks = -(-width // 16) * -(-height // 16)
    for level, most in _LEVELS:
        if macroblocks <= most:
            return level
    raise UnsupportedError(f"H.264 of {width}x{height} pixels; use JPEG or a smaller portrait")


def _options(codec: str, quality: int, level: int) -> dict[str, str]:
    constant_quality = str(round(51 - 0.36 * quality))  # 85 -> 20
    if codec == "libx264":
        return {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": str(level),
            "crf": constant_quality,
            "forced-idr": "1",
        }
    if codec == "h264_nvenc":
        return {
            "preset": "p3",
            "tune": "ull",
            "profile": "baseline",
            "level": str(level),
            "rc": "constqp",
            "qp": constant_quality,
            "delay": "0",
            "zerolatency": "1",
            "forced-idr": "1",
        }
    return {"profile": "constrained_baseline"}


def _require_quality(quality: int) -> None:
    if not 1 <= quality <= 100:
        raise InvalidInputError("video_format.quality", f"{quality}; allowed: 1 to 100")
