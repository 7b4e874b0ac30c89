"""One render session: motion frames of one portrait to encoded pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, cast

import cv2
import numpy as np

from ditto.errors import InvalidInputError
from ditto.stages import AnimatesVideos, Image, Portrait, Renderer, RepaintsFullViews
from ditto.v1 import types_pb2
from services.renderer.encoders import EncodedFrame, FrameEncoder, make_encoder

_PICTURES = 2
"""FULL views in use: one is encoded while the next is drawn."""
_HEAD_VIEWS = (types_pb2.VIEW_UNSPECIFIED, types_pb2.VIEW_HEAD)


class RenderSession:
    """`view_of` runs in the render thread, `encode` in the encoding thread, each in frame order."""

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
        self._repaints = isinstance(renderer, RepaintsFullViews)
        self._pictures: deque[tuple[Any, Image]] = deque(maxlen=_PICTURES)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return self._encoder.width, self._encoder.height

    def appearance_at(self, frame: int) -> Any:
        """What a frame of the call is drawn from, whatever was drawn before."""
        if isinstance(self._renderer, AnimatesVideos):
            return self._renderer.appearance_at(self._appearance, frame)
        return self._appearance

    def view_of(self, head: Image, frame: int) -> Image:
        """The picture of this session's view, from a rendered HEAD view. It may change when the
        next but one is asked for."""
        if not self._is_full:
            return head
        appearance = self.appearance_at(frame)
        oldest = self._pictures[0] if len(self._pictures) == _PICTURES else (None, head)
        if self._repaints and oldest[0] is appearance:
            picture = oldest[1]
            cast(RepaintsFullViews, self._renderer).repaint_full(appearance, head, picture)
        else:
            picture = self._renderer.paste_back(appearance, head)
        self._pictures.append((appearance, picture))
        return picture

    def encode(self, image: Image, side_divisor: int = 1) -> EncodedFrame:
        """The picture as it is sent; smaller where the format may change its size."""
        if side_divisor <= 1 or not self._encoder.may_shrink:
            return self._encoder.encode(image)
        width, height = (max(1, side // side_divisor) for side in self.size)
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        frame = self._encoder.encode(np.asarray(small, np.uint8))
        return replace(frame, width=width, height=height)
