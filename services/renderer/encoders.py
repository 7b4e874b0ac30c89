"""Pictures to the bytes of a call's video format. An encoder's state belongs to one session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ditto.errors import InvalidInputError
from ditto.media.video import H264Encoder, JpegEncoder
from ditto.stages import Image
from ditto.v1 import types_pb2

DEFAULT_QUALITY = 85


@dataclass(frozen=True)
class EncodedFrame:
    """One picture as it is sent."""

    data: bytes
    is_keyframe: bool
    width: int = 0
    """0 for the size of the session."""
    height: int = 0


class FrameEncoder(Protocol):
    """Encodes the frames of one session in order."""

    width: int
    height: int
    may_shrink: bool
    """A frame may be smaller than the one before."""

    def encode(self, image: Image) -> EncodedFrame:
        """RGB (H, W, 3) to bytes."""


def make_encoder(
    video_format: types_pb2.VideoFormat, size: tuple[int, int], frame_rate: int, h264_codec: str
) -> FrameEncoder:
    """The encoder of a session whose pictures have this width and height.

    Raises `InvalidInputError` for a format that is not in the contract, `UnsupportedError` for a
    size that it cannot hold.
    """
    width, height = size
    quality = video_format.quality or DEFAULT_QUALITY
    encoding = video_format.encoding
    if encoding in (types_pb2.VIDEO_ENCODING_UNSPECIFIED, types_pb2.VIDEO_ENCODING_JPEG):
        return _Jpeg(width, height, quality)
    if encoding == types_pb2.VIDEO_ENCODING_RGB24:
        return _Rgb24(width, height)
    if encoding == types_pb2.VIDEO_ENCODING_H264_FMP4:
        return _H264(H264Encoder(width, height, frame_rate, quality, codec=h264_codec))
    raise InvalidInputError("video_format.encoding", f"{encoding} is not in the contract")


class _Jpeg:
    may_shrink = True

    def __init__(self, width: int, height: int, quality: int) -> None:
        self.width, self.height = width, height
        self._encoder = JpegEncoder(quality)

    def encode(self, image: Image) -> EncodedFrame:
        return EncodedFrame(self._encoder.encode(image), is_keyframe=False)


class _Rgb24:
    may_shrink = True

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    def encode(self, image: Image) -> EncodedFrame:
        return EncodedFrame(np.ascontiguousarray(image).tobytes(), is_keyframe=False)


class _H264:
    may_shrink = False

    def __init__(self, encoder: H264Encoder) -> None:
        self.width, self.height = encoder.width, encoder.height
        self._encoder = encoder

    def encode(self, image: Image) -> EncodedFrame:
        unit = self._encoder.encode(image)
        return EncodedFrame(unit.data, unit.is_keyframe)
