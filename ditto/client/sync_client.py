"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Unpack, cast

import grpc

from ditto.client.channel import Access, open_channel
from ditto.client.outgoing import Outgoing
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
from ditto.errors import DittoError
from ditto.media.portrait_video import is_video
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb
from ditto.v1.animation_pb2_grpc import AnimationServiceStub


class Call:
    """One talking head: iterate over it for frames (or MP4 chunks) and events.

    Raises the error that the server raised, from the constructor up to the end of the iteration.
    Leaving the call before its end: `cancel`, or use it in a ``with`` block.
    """

    def __init__(self, stub: Any, config: pb.AnimateConfig, speech: Iterable[bytes] | None) -> None:
        self.stats: pb.CallStats | None = None
        """The measured numbers, once everything has been read."""
        self._speech_error: Exception | None = None
        self._outgoing = Outgoing()
        self._outgoing.put(pb.AnimateRequest(config=config))
        self._rpc = stub.Animate(self._outgoing)
        self._rpc.add_callback(self._outgoing.close)
        if speech is not None:
            Thread(target=self._say_all, args=(speech,), daemon=True).start()
        self.started = self._next().started
        """The settings in effect."""

    def speak(self, pcm: bytes) -> None:
        """Send more speech, in the call's format; waits while the server is behind."""
        for piece in pieces(pcm):
            self._outgoing.put(pb.AnimateRequest(audio=piece))

    def control(self, **fields: Any) -> None:
        """Change how the face moves: fields of `MotionControl`, such as mouth_gain."""
        self._outgoing.put(pb.AnimateRequest(control=motion_control(fields)))

    def interrupt(self, last_played_frame: int | None = None) -> None:
        """Stop what is being said, after the frame that the viewer saw last."""
        request = pb.Interrupt(last_played_frame_index=last_played_frame)
        self._outgoing.put(pb.AnimateRequest(interrupt=request))

    def end(self) -> None:
        """No more speech: the call ends after its last frame."""
        self._outgoing.end()

    def cancel(self) -> None:
        """Give the call up."""
        self._rpc.cancel()

    def save(self, path: str | Path) -> None:
        """Read the call to its end and write its MP4 (``video="mp4"``)."""
        with Path(path).open("wb") as file:
            for item in self:
                if isinstance(item, Chunk):
                    file.write(item.data)

    def __iter__(self) -> Iterator[Item]:
        while (response := self._next()) is not None:
            if response.HasField("stats"):
                self.stats = response.stats
            elif item := item_of(response):
                yield item

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    def _next(self) -> Any:
        try:
            return _translated(lambda: next(self._rpc, None))
        except DittoError as error:
            raise self._speech_error or error from None

    def _say_all(self, speech: Iterable[bytes]) -> None:
        try:
            for piece in speech:
                self.speak(piece)
                if self._outgoing.is_closed:
                    return
            self.end()
        except Exception as error:
            self._speech_error = error
            self.cancel()


class Client:
    """A connection to a gateway, for any number of calls from any thread."""

    def __init__(self, target: str, access: Access | None = None) -> None:
        """`target` is host:port; `access` by default what the environment says."""
        self._channel = open_channel(target, access)
        self._stub = AnimationServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def animate(
        self,
        portrait: Portrait,
        speech: SpeechSource | None = None,
        **options: Unpack[AnimateOptions],
    ) -> Call:
        """Start a call; returns when the server has accepted it.

        Without `speech` the caller sends it with `Call.speak` and ends it with `Call.end`.
        """
        audio_format, parts = open_speech(speech, options.get("sample_rate_hz", DEFAULT_RATE_HZ))
        config = call_config(portrait, audio_format, options)
        return Call(self._stub, config, None if speech is None else parts)

    def register(
        self, portrait: str | Path | bytes, pack: str = "", on_progress: OnProgress | None = None
    ) -> pb.Avatar:
        """Register a portrait once, so that later calls with the avatar start sooner.

        A video takes a while: `on_progress` hears how many of how many pictures are prepared.
        """
        data = portrait_bytes(portrait)
        if is_video(data):
            return self._register_video(pb.RegisterVideoRequest(video=data, pack=pack), on_progress)
        request = pb.RegisterAvatarRequest(portrait=data, pack=pack)
        avatar: pb.Avatar = _translated(lambda: self._stub.RegisterAvatar(request)).avatar
        return avatar

    def _register_video(
        self, request: pb.RegisterVideoRequest, on_progress: OnProgress | None
    ) -> pb.Avatar:
        replies = self._stub.RegisterVideo(request)
        reply = pb.RegisterVideoResponse()
        while (following := _translated(lambda: next(replies, None))) is not None:
            reply = following
            if reply.HasField("progress") and on_progress is not None:
                on_progress(reply.progress.frames_done, reply.progress.frames)
        return reply.registered.avatar

    def avatar(self, avatar_id: str) -> pb.Avatar:
        """A registered avatar by its id."""
        request = pb.GetAvatarRequest(avatar_id=avatar_id)
        avatar: pb.Avatar = _translated(lambda: self._stub.GetAvatar(request)).avatar
        return avatar

    def delete(self, avatar: pb.Avatar) -> None:
        """Forget a registered avatar."""
        request = pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id)
        _translated(lambda: self._stub.DeleteAvatar(request))

    def info(self) -> pb.GetServerInfoResponse:
        """Version, packs and limits of the server."""
        request = pb.GetServerInfoRequest()
        info: pb.GetServerInfoResponse = _translated(lambda: self._stub.GetServerInfo(request))
        return info

    def close(self) -> None:
        """Close the connection; live calls end."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _translated(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except grpc.RpcError as error:  # reads like the asynchronous one
        raise error_from_rpc(cast(grpc.aio.AioRpcError, error), "the server") from None
