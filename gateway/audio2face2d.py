"""NVIDIA's Audio2Face-2D contract, served by calls of our own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.empty_pb2 import Empty

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.audio2face2d.v1.audio2face2d_pb2_grpc import Audio2Face2DServiceServicer
from ditto.errors import InvalidInputError
from ditto.v1 import animation_pb2 as pb
from gateway.audio2face2d_config import effective, to_animate_config
from gateway.dropped_tasks import drop
from gateway.servicer import AnimationServicer

SERVICE_NAME = "nvidia.maxine.audio2face2d.v1.Audio2Face2DService"
_KEEP_ALIVE_S = 1.0
_AUDIO_BYTES = 1 << 20


class Audio2Face2DServicer(Audio2Face2DServiceServicer):
    """Translates; the animation servicer does the work."""

    def __init__(self, animation: AnimationServicer) -> None:
        self._animation = animation

    async def Animate(  # noqa: N802
        self, request_iterator: AsyncIterator[a2f.AnimateRequest], context: Any
    ) -> None:
        """One file."""
        relay = _Relay(context)
        alive = asyncio.create_task(relay.keep_alive())
        first = self._first(request_iterator, relay)
        try:
            await self._animation.converse(first, _speech(request_iterator), relay)
        finally:
            drop(alive)

    async def _first(
        self, requests: AsyncIterator[a2f.AnimateRequest], relay: _Relay
    ) -> pb.AnimateConfig:
        config = effective(await self._animation.handshakes.config(requests, "stream_input"))
        first = to_animate_config(config)
        config.ClearField("portrait_image")
        relay.echo.CopyFrom(config)
        return first


async def _speech(
    requests: AsyncIterator[a2f.AnimateRequest],
) -> AsyncIterator[pb.AnimateRequest]:
    """The client's requests as our own; configurations after the first are ignored."""
    async for request in requests:
        kind = request.WhichOneof("stream_input")
        if kind is None:
            raise InvalidInputError("stream_input", "is empty; allowed: audio_file_data")
        if kind == "audio_file_data":
            data = request.audio_file_data
            for start in range(0, len(data), _AUDIO_BYTES):
                yield pb.AnimateRequest(audio=data[start : start + _AUDIO_BYTES])


class _Relay:
    """The context of the inner call: its answers become those of the outer one."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.echo = a2f.AnimateConfig()
        """The settings in effect, without the portrait."""
        self._writing = asyncio.Lock()
        self._is_started = False

    async def write(self, response: pb.AnimateResponse) -> None:
        """Pass on what the outer contract has a place for."""
        kind = response.WhichOneof("response")
        if kind == "started":
            await self._send(a2f.AnimateResponse(config=self.echo))
            self._is_started = True
        elif kind == "chunk":
            await self._send(a2f.AnimateResponse(video_file_data=response.chunk.data))

    async def keep_alive(self) -> None:
        """Say that the call is at work, until cancelled."""
        while True:
            await asyncio.sleep(_KEEP_ALIVE_S)
            if self._is_started:
                await self._send(a2f.AnimateResponse(keep_alive=Empty()))

    def set_trailing_metadata(self, trailers: Any) -> None:
        """The measured numbers, as with our own calls."""
        self._context.set_trailing_metadata(trailers)

    async def _send(self, response: a2f.AnimateResponse) -> None:
        async with self._writing:
            await self._context.write(response)
