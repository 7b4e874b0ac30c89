"""A renderer that obeys the contract and writes numbers in place of pictures."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from ditto.errors import AvatarNotFoundError, FaceError
from ditto.media.video import H264Encoder
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import renderer_pb2_grpc as render_grpc
from ditto.v1 import types_pb2 as types
from tests.gateway.fake_stage import FakeStage, timing

SIZE = 64


class FakeRenderer(render_grpc.RendererServiceServicer):
    """A frame is its motion number; portraits are any bytes but those that begin `no face`."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage

    async def PreparePortrait(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.portrait.startswith(b"no face"):
            raise FaceError("no face was found; send a portrait with one face")
        key = self._key(request.portrait)
        source = "local" if key in self._stage.cached else "computed"
        self._stage.cached.add(key)
        self._stage.prepared.append(key)
        identity = types.FaceIdentity(
            canonical_keypoints=[0.5] * 63, reference_motion=[0.25] * 265, eye_state=[1.0] * 8
        )
        return render_pb.PreparePortraitResponse(
            content_key=key,
            identity=identity,
            width=100,
            height=120,
            warnings=["the face is small"],
            source=source,
            prepare_ms=7.0 if source == "computed" else 0.0,
        )

    async def DropPortrait(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._stage.cached.discard(request.content_key)
        return render_pb.DropPortraitResponse()

    async def Render(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        first = await anext(request_iterator)
        told = first.config
        self._stage.configs.append(told)
        with self._stage.slots.take(told.moved, is_realtime=told.is_realtime):
            await asyncio.sleep(self._stage.faults.accept_delay_s)
            source = "local"
            if first.config.content_key not in self._stage.cached:
                await context.write(render_pb.RenderResponse(portrait_needed={}))
                answer = await anext(request_iterator)
                if first.config.content_key not in ("", self._key(answer.portrait)):
                    raise AvatarNotFoundError("another portrait than asked for")
                source = "computed"
            accepted = render_pb.RenderAccepted(
                session=self._stage.identity.accepted(), width=SIZE, height=SIZE, source=source
            )
            await context.write(render_pb.RenderResponse(accepted=accepted))
            encode = _Pictures(first.config.video_format.encoding)
            async for request in request_iterator:
                self._stage.requests.append(request)
                await self._render(request.motion, encode, context)

    async def _render(self, block: types.FrameBlock, encode: _Pictures, context: Any) -> None:
        for offset, value in enumerate(np.frombuffer(block.data, "<f4")):
            index = block.first_frame + offset
            await self._stage.before(index)
            if index == self._stage.faults.skip_frame:
                continue
            data, keyframe = encode(float(value))
            frame = render_pb.RenderedFrame(
                index=index, data=data, keyframe=keyframe, timing=timing()
            )
            await context.write(render_pb.RenderResponse(frame=frame))

    @staticmethod
    def _key(portrait: bytes) -> str:
        return f"key-{hash(portrait) & 0xFFFFFFFF:08x}"


class _Pictures:
    """A number as four bytes, or as a grey H.264 picture."""

    def __init__(self, encoding: int) -> None:
        is_h264 = encoding == types.VIDEO_ENCODING_H264_FMP4
        self._h264 = H264Encoder(SIZE, SIZE) if is_h264 else None
        self._padding = b"" if encoding != types.VIDEO_ENCODING_RGB24 else bytes(200_000)

    def __call__(self, value: float) -> tuple[bytes, bool]:
        if self._h264 is None:
            return struct.pack("<f", value) + self._padding, True
        grey = np.full((SIZE, SIZE, 3), min(255, int(value) >> 7), np.uint8)
        unit = self._h264.encode(grey)
        return unit.data, unit.is_keyframe


def loudness(data: bytes) -> float:
    """The number that a JPEG or RGB24 frame of the fake renderer shows."""
    return float(struct.unpack_from("<f", data)[0])
