"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Unpack

import grpc
from grpc.aio import AioRpcError

from ditto.client.channel import Access, open_async_channel
from ditto.client.responses import Chunk, Item, item_of
from ditto.client.settings import (
    AnimateOptions,
    OnProgress,
    Portrait,
    call_config,
    motion_control,
    portrait_bytes,
)
from ditto.client.speech import DEFAULT_RATE_HZ, SpeechSource, open_speech, pieces
from ditto.media.portrait_video import is_video
from ditto.serving.call_writes import write_message
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]


class AsyncCall:
    """One talking head: iterate over it with ``async for``. See `ditto.client.Call`."""

    started: pb.Started
    """The settings in effect."""

    def __init__(self, rpc: Any) -> None:
        """Use `AsyncClient.animate`."""
        self.stats: pb.CallStats | None = None
        """The measured numbers, once everything has been read."""
        self._rpc = rpc
        self._writing = asyncio.Lock()
        self._speaking: asyncio.Task[None] | None = None
        self._speech_error: Exception | None = None

    async def open(
        self, config: pb.AnimateConfig, speech: Iterable[bytes] | AsyncIterable[bytes] | None
    ) -> None:
        """Send the settings, wait for `started`, begin to speak."""
        await self._send(pb.AnimateRequest(config=config))
        self.started = (await _translated(self._rpc.read())).started
        if speech is not None:
            self._speaking = asyncio.create_task(self._say_all(speech))

    async def speak(self, pcm: bytes) -> None:
        """Send more speech, in the call's format; waits while the server is behind."""
        for piece in pieces(pcm):
            await self._send(pb.AnimateRequest(audio=piece))

    async def control(self, **fields: Any) -> None:
        """Change how the face moves: fields of `MotionControl`, such as mouth_gain."""
        await self._send(pb.AnimateRequest(control=motion_control(fields)))

    async def interrupt(self, last_played_frame: int | None = None) -> None:
        """Stop what is being said, after the frame that the viewer saw last."""
        request = pb.Interrupt(last_played_frame_index=last_played_frame)
        await self._send(pb.AnimateRequest(interrupt=request))

    async def end(self) -> None:
        """No more speech: the call ends after its last frame."""
        async with self._writing:
            await self._rpc.done_writing()

    def cancel(self) -> None:
        """Give the call up."""
        if self._speaking:
            self._speaking.cancel()
        self._rpc.cancel()

    async def save(self, path: str | Path) -> None:
        """Read the call to its end and write its MP4 (``video="mp4"``)."""
        with await asyncio.to_thread(Path(path).open, "wb") as file:
            async for item in self:
                if isinstance(item, Chunk):
                    file.write(item.data)

    async def __aiter__(self) -> AsyncIterator[Item]:
        while (response := await self._read()) is not _EOF:
            if response.HasField("stats"):
                self.stats = response.stats
            elif item := item_of(response):
                yield item

    async def __aenter__(self) -> AsyncCall:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    async def _read(self) -> Any:
        try:
            return await _translated(self._rpc.read())
        except asyncio.CancelledError:
            if self._speech_error:
                raise self._speech_error from None
            raise

    async def _send(self, request: pb.AnimateRequest) -> None:
        async with self._writing:
            await write_message(self._rpc, request)

    async def _say_all(self, speech: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        try:
            async for piece in _as_async(speech):
                await self.speak(piece)
                if self._rpc.done():
                    return
            await self.end()
        except Exception as error:
            self._speech_error = error
            self._rpc.cancel()


class AsyncClient:
    """A connection to a gateway, for any number of calls of one event loop."""

    def __init__(self, target: str, access: Access | None = None) -> None:
        """`target` is host:port; `access` by default what the environment says."""
        self._channel = open_async_channel(target, access)
        self._stub = AnimationServiceStub(self._channel)  # type: ignore[no-untyped-call]

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
        config = await asyncio.to_thread(call_config, portrait, audio_format, options)
        call = AsyncCall(self._stub.Animate())
        await call.open(config, parts)
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
            made: pb.Avatar = await _translated(self._register_video(video, on_progress))
            return made
        request = pb.RegisterAvatarRequest(portrait=data, pack=pack)
        avatar: pb.Avatar = (await _translated(self._stub.RegisterAvatar(request))).avatar
        return avatar

    async def _register_video(
        self, request: pb.RegisterVideoRequest, on_progress: OnProgress | None
    ) -> pb.Avatar:
        reply = pb.RegisterVideoResponse()
        async for reply in self._stub.RegisterVideo(request):
            if reply.HasField("progress") and on_progress is not None:
                on_progress(reply.progress.frames_done, reply.progress.frames)
        return reply.registered.avatar

    async def avatar(self, avatar_id: str) -> pb.Avatar:
        """A registered avatar by its id."""
        request = pb.GetAvatarRequest(avatar_id=avatar_id)
        avatar: pb.Avatar = (await _translated(self._stub.GetAvatar(request))).avatar
        return avatar

    async def delete(self, avatar: pb.Avatar) -> None:
        """Forget a registered avatar."""
        await _translated(
            self._stub.DeleteAvatar(pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id))
        )

    async def info(self) -> pb.GetServerInfoResponse:
        """Version, packs and limits of the server."""
        request = pb.GetServerInfoRequest()
        info: pb.GetServerInfoResponse = await _translated(self._stub.GetServerInfo(request))
        return info

    async def close(self) -> None:
        """Close the connection; live calls end."""
        await self._channel.close(None)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


async def _translated(reply: Awaitable[Any]) -> Any:
    try:
        return await reply
    except AioRpcError as error:
        raise error_from_rpc(error, "the server") from None


async def _as_async(speech: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Pieces of any source; one that makes its caller wait does so in a thread."""
    if isinstance(speech, AsyncIterable):
        async for piece in speech:
            yield piece
        return
    source = iter(speech)
    while (piece := await asyncio.to_thread(next, source, b"")) != b"":
        yield piece
