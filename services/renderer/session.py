"""One render session: motion frames of one portrait to encoded pictures."""

from __future__ import annotations

from typing import Any

from ditto.errors import InvalidInputError
from ditto.stages import Array, Image, Portrait, Renderer
from ditto.v1 import types_pb2
from services.renderer.encoders import EncodedFrame, FrameEncoder, make_encoder

_HEAD_VIEWS = (types_pb2.VIEW_UNSPECIFIED, types_pb2.VIEW_HEAD)


class RenderSession:
    """`render` runs in the compute thread, `encode` in the encoding thread, each in frame order."""

    def __init__(
        self,
        renderer: Renderer[Any],
        portrait: Portrait[Any],
        view: types_pb2.View,
        video_format: types_pb2.VideoFormat,
        frame_rate: int,
        h264_codec: str,
    ) -> None:
        """Raises `InvalidInputError` for a view or format that is not in the contract."""
        if view not in (*_HEAD_VIEWS, types_pb2.VIEW_FULL):
            raise InvalidInputError("view", f"{view} is not in the contract")
        self._renderer = renderer
        self._appearance = portrait.appearance
        self._is_full = view == types_pb2.VIEW_FULL
        size = (renderer.head_size, renderer.head_size)
        if self._is_full:
            size = renderer.full_size(self._appearance)
        self._encoder: FrameEncoder = make_encoder(video_format, size, frame_rate, h264_codec)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self._encoder.width, self._encoder.height

    def render(self, motion: Array) -> Image:
        """One motion frame (265,) to its picture."""
        head = self._renderer.render_head(self._appearance, motion)
        return self._renderer.paste_back(self._appearance, head) if self._is_full else head

    def encode(self, image: Image) -> EncodedFrame:
        """The picture as it is sent."""
        return self._encoder.encode(image)
