"""Sessions of a renderer process: portraits that are drawn, motion, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import grpc
import numpy as np
import pytest

from ditto import errors
from ditto.serving.errors import error_from_rpc
from ditto.serving.frames import block_of
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2 import (
    PreparePortraitRequest,
    PreparePortraitResponse,
    RenderAccepted,
    RenderConfig,
    RenderedFrame,
    RenderRequest,
)
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from services.renderer.drawn_face import draw_face
from tests.services.processes import ServiceProcess

JPEG, RGB24, H264 = (
    types_pb2.VIDEO_ENCODING_JPEG,
    types_pb2.VIDEO_ENCODING_RGB24,
    types_pb2.VIDEO_ENCODING_H264_FMP4,
)
SLOTS = 2
"""Of the renderer that most tests call."""


def portrait(tint: int = 0, size: tuple[int, int] = (512, 512)) -> bytes:
    """A drawn face as a PNG file; another tint is another portrait."""
    image = draw_face()
    image[:20] = tint
    framed = np.full((size[1], size[0], 3), 160, np.uint8)
    framed[:512, :512] = image
    return cv2.imencode(".png", framed[..., ::-1])[1].tobytes()


async def prepare(service: ServiceProcess, image: bytes) -> PreparePortraitResponse:
    async with service.channel() as channel:
        request = PreparePortraitRequest(portrait=image)
        return await RendererServiceStub(channel).PreparePortrait(request)


def motion_of(prepared: PreparePortraitResponse, frames: int) -> np.ndarray:
    """The portrait at rest, its jaw slowly opening."""
    motion = np.repeat(np.array([prepared.identity.reference_motion], np.float32), frames, axis=0)
    motion[:, 202 + 3 * 19 + 1] += np.linspace(0, 0.03, frames)
    return motion


@dataclass
class Rendered:
    """What one session gave."""

    accepted: RenderAccepted
    frames: list[RenderedFrame]
    was_asked: bool


async def render(
    service: ServiceProcess,
    content_key: str,
    *blocks: tuple[int, np.ndarray],
    image: bytes | None = None,
    encoding: types_pb2.VideoEncoding = JPEG,
    view: types_pb2.View = types_pb2.VIEW_HEAD,
) -> Rendered:
    """One whole session."""
    config = RenderConfig(
        call_id="test",
        content_key=content_key,
        video_format=types_pb2.VideoFormat(encoding=encoding),
        view=view,
    )
    async with service.channel() as channel:
        call = RendererServiceStub(channel).Render()
        await call.write(RenderRequest(config=config))
        first = await call.read()
        was_asked = first.HasField("portrait_needed")
        if was_asked:
            assert image is not None, "the portrait was asked for"
            await call.write(RenderRequest(portrait=image))
            first = await call.read()
        for first_frame, motion in blocks:
            await call.write(RenderRequest(motion=block_of(first_frame, motion)))
        await call.done_writing()
        frames = []
        while (reply := await call.read()) is not grpc.aio.EOF:
            frames.append(reply.frame)
    return Rendered(first.accepted, frames, was_asked)


async def refusal(awaitable) -> errors.DittoError:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await awaitable
    return error_from_rpc(failed.value, "renderer")
