"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Unpack

from grpc.aio import AioRpcError

from ditto.client.async_call import AsyncCall
from ditto.client.channel import open_async_channel
from ditto.client.gateway_client import GatewayClient
from ditto.client.settings import AnimateOptions, OnProgress, Portrait, portrait_bytes
from ditto.client.speech import DEFAULT_RATE_HZ, SpeechSource, open_speech
from ditto.errors import StageUnavailableError
from ditto.media.portrait_video import is_video
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb


class AsyncClient(GatewayClient):
    """A connection to a gateway, for any number of calls of one event loop."""

    _open_channel = staticmethod(open_async_channel)

    async def animate(
        self,
        portrait: Portrait,
        speech: SpeechSource | AsyncIterable[bytes] | None = None,
        **options: Unpack[AnimateOptions],
    ) -> AsyncCall:
        """Start a call; returns when the server has accepted it.

        Without `speech` the caller sends it with `AsyncCall.speak` and ends it with `end`.
        """
        rate_hz = options.get("sample_rate_hz", DEFAULT_RATE_HZ)
        parts: Iterable[bytes] | AsyncIterable[bytes] | None
        if speech is None or isinstance(speech, AsyncIterable):
            audio_format, _ = open_speech(None, rate_hz)
            parts = speech
        else:
            audio_format, parts = await asyncio.to_thread(open_speech, speech, rate_hz)
        config = await asyncio.to_thread(self._config, portrait, audio_format, options)
        call = AsyncCall(self._servers, config, self._patience)
        await call.open(parts)
        return call

    async def register(
        self, portrait: str | Path | bytes, pack: str = "", on_progress: OnProgress | None = None
    ) -> pb.Avatar:
        """Register a portrait once, so that later calls with the avatar start sooner.

        A video takes a while: `on_progress` hears how many of how many pictures are prepared.
        """
        data = await asyncio.to_thread(portrait_bytes, portrait)
        if is_video(data):
            video = pb.RegisterVideoRequest(video=data, pack=pack)
            made: pb.Avatar = await self._ask(lambda stub: _follow(stub, video, on_progress))
            return made
        request = pb.RegisterAvatarRequest(portrait=data, pack=pack)
        avatar: pb.Avatar = (await self._ask(lambda stub: stub.RegisterAvatar(request))).avatar
        return avatar

    async def avatar(self, avatar_id: str) -> pb.Avatar:
        """A registered avatar by its id."""
        request = pb.GetAvatarRequest(avatar_id=avatar_id)
        avatar: pb.Avatar = (await self._ask(lambda stub: stub.GetAvatar(request))).avatar
        return avatar

    async def delete(self, avatar: pb.Avatar) -> None:
        """Forget a registered avatar."""
        request = pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id)
        await self._ask(lambda stub: stub.DeleteAvatar(request))

    async def info(self) -> pb.GetServerInfoResponse:
        """Version, packs and limits of the server."""
        request = pb.GetServerInfoRequest()
        info: pb.GetServerInfoResponse = await self._ask(lambda stub: stub.GetServerInfo(request))
        return info

    async def close(self) -> None:
        """Close the connections; live calls end."""
        for server in self._servers.connections:
            await server.channel.close(None)

    async def _ask(self, do: Callable[[Any], Awaitable[Any]]) -> Any:
        """What the first server that is there says. Raises what the last one said where none is."""
        error = StageUnavailableError("no server was asked")
        for address in self._servers.in_order():
            try:
                return await _translated(do(self._servers.at(address).stub))
            except StageUnavailableError as found:
                error = found
        raise error

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _follow(
    stub: Any, request: pb.RegisterVideoRequest, on_progress: OnProgress | None
) -> pb.Avatar:
    reply = pb.RegisterVideoResponse()
    async for reply in stub.RegisterVideo(request):
        if reply.HasField("progress") and on_progress is not None:
            on_progress(reply.progress.frames_done, reply.progress.frames)
    return reply.registered.avatar


async def _translated(reply: Awaitable[Any]) -> Any:
    try:
        return await reply
    except AioRpcError as error:
        raise error_from_rpc(error, "the server") from None
