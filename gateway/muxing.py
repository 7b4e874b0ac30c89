"""What the caller gets of rendered frames: the frames themselves, or bytes of a container."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ditto.media.h264 import ParameterSets
from ditto.media.mux import FragmentedMp4Muxer
from ditto.media.video import level_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import renderer_pb2 as render_pb
from gateway.media_clock import SAMPLE_BYTES, SAMPLE_RATE_HZ, MediaClock


class Packer(Protocol):
    """Turns frames into responses."""

    mime_type: str
    """For a media player; empty where the frames are no container."""

    def hear(self, pcm: bytes) -> None:
        """The next samples of what is heard with the frames."""

    def drop(self) -> None:
        """Forget what would be heard with the frames to come."""

    def pack(self, frame: render_pb.RenderedFrame) -> pb.AnimateResponse:
        """The response that carries a frame."""

    def finish(self) -> pb.AnimateResponse | None:
        """What follows the last frame."""


class FramePacker:
    """JPEG and RGB24: one message a frame, no sound."""

    mime_type = ""

    def __init__(self, media: MediaClock) -> None:
        self._media = media

    def hear(self, pcm: bytes) -> None:
        """The caller has the speech already."""

    def drop(self) -> None:
        """Nothing is kept."""

    def pack(self, frame: render_pb.RenderedFrame) -> pb.AnimateResponse:
        return pb.AnimateResponse(
            frame=pb.VideoFrame(
                index=frame.index,
                pts_us=self._media.pts_us(frame.index),
                speech_sample_offset=frame.index * self._media.frame_samples,
                data=frame.data,
                width=frame.width,
                height=frame.height,
            )
        )

    def finish(self) -> None:
        return None


class Mp4Packer:
    """H264_FMP4: one fragment a frame, with the speech as AAC."""

    def __init__(self, media: MediaClock, width: int, height: int) -> None:
        self.mime_type = f'video/mp4; codecs="avc1.42c0{level_of(width, height):02x}, mp4a.40.2"'
        self._muxer = FragmentedMp4Muxer(width, height, media.frame_rate, SAMPLE_RATE_HZ)
        self._frame_bytes = media.frame_samples * SAMPLE_BYTES
        self._heard = bytearray()

    @property
    def parameter_sets(self) -> ParameterSets | None:
        """Of the stream so far."""
        return self._muxer.parameter_sets

    def go_on(self, frame: int, sets: ParameterSets, sound: bytes, before: int) -> None:
        """Continue another gateway's bytes with a frame.

        The first `before` samples of `sound` were heard with the frames before, the rest is heard
        from this frame on.
        """
        heard = np.frombuffer(sound, "<i2")
        self._muxer.go_on(frame, sets, _floats(heard[:before]))
        self._heard += heard[before:].tobytes()

    def hear(self, pcm: bytes) -> None:
        self._heard += pcm

    def drop(self) -> None:
        self._heard.clear()

    def pack(self, frame: render_pb.RenderedFrame) -> pb.AnimateResponse:
        heard = np.frombuffer(bytes(self._heard[: self._frame_bytes]), "<i2")
        del self._heard[: self._frame_bytes]
        data = self._muxer.add(frame.data, frame.keyframe, _floats(heard))
        return _chunk(data, frame.index, 1)

    def finish(self) -> pb.AnimateResponse | None:
        data = self._muxer.finish()
        return _chunk(data, -1, 0) if data else None


def _floats(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    return (samples / np.float32(2**15)).astype(np.float32, copy=False)


def _chunk(data: bytes, first_frame: int, frames: int) -> pb.AnimateResponse:
    return pb.AnimateResponse(
        chunk=pb.ContainerChunk(data=data, first_frame_index=first_frame, frame_count=frames)
    )
