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
from gateway.call.media_clock import SAMPLE_BYTES, SAMPLE_RATE_HZ, MediaClock


class Packer(Protocol):
    """Turns frames into responses."""

    mime_type: str
    """For a media player; empty where the frames are no container."""

    @property
    def parameter_sets(self) -> ParameterSets | None:
        """Of the H.264 stream, once there was a frame."""

    def go_on(self, frame: int, sets: ParameterSets | None, heard_from: int, heard: bytes) -> None:
        """Continue another gateway's bytes with a frame. `heard` was heard from a position of the
        media clock on, which is at or before the frame's."""

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
    parameter_sets = None

    def __init__(self, media: MediaClock) -> None:
        self._media = media

    def go_on(self, frame: int, sets: ParameterSets | None, heard_from: int, heard: bytes) -> None:
        """A frame stands alone."""

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
        self._frame_samples = media.frame_samples
        self._frame_bytes = media.frame_samples * SAMPLE_BYTES
        self._heard = bytearray()
        self._heard_from = 0
        self._going_on: tuple[int, ParameterSets | None] | None = None

    @property
    def parameter_sets(self) -> ParameterSets | None:
        return self._muxer.parameter_sets

    def go_on(self, frame: int, sets: ParameterSets | None, heard_from: int, heard: bytes) -> None:
        self._going_on = frame, sets
        self._heard_from, self._heard = heard_from, bytearray(heard)

    def hear(self, pcm: bytes) -> None:
        self._heard += pcm

    def drop(self) -> None:
        self._heard.clear()
        if self._going_on:
            self._heard_from = self._going_on[0] * self._frame_samples

    def _begin(self) -> None:
        """Take up another muxer's work, now that all is known that was heard before the frame."""
        if self._going_on:
            frame, sets = self._going_on
            self._going_on = None
            before = (frame * self._frame_samples - self._heard_from) * SAMPLE_BYTES
            heard = np.frombuffer(bytes(self._heard[:before]), "<i2")
            del self._heard[:before]
            self._muxer.go_on(frame, sets, _floats(heard))

    def pack(self, frame: render_pb.RenderedFrame) -> pb.AnimateResponse:
        self._begin()
        heard = np.frombuffer(bytes(self._heard[: self._frame_bytes]), "<i2")
        del self._heard[: self._frame_bytes]
        data = self._muxer.add(frame.data, frame.keyframe, _floats(heard))
        return _chunk(data, frame.index, 1)

    def finish(self) -> pb.AnimateResponse | None:
        self._begin()
        data = self._muxer.finish()
        return _chunk(data, -1, 0) if data else None


def _floats(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    return (samples / np.float32(2**15)).astype(np.float32, copy=False)


def _chunk(data: bytes, first_frame: int, frames: int) -> pb.AnimateResponse:
    return pb.AnimateResponse(
        chunk=pb.ContainerChunk(data=data, first_frame_index=first_frame, frame_count=frames)
    )
