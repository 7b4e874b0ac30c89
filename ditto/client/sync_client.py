"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Unpack, cast

import grpc

from ditto.client.channel import open_channel
from ditto.client.gateway_client import GatewayClient
from ditto.client.settings import AnimateOptions, OnProgress, Portrait, portrait_bytes
from ditto.client.speech import DEFAULT_RATE_HZ, SpeechSource, open_speech
from ditto.client.sync_call import Call
from ditto.errors import StageUnavailableError
from ditto.media.portrait_video import is_video
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb


class Client(GatewayClient):
    """A connection to one gateway or several, for any number of calls from any thread."""

    _open_channel = staticmethod(open_channel)

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
        config = self._config(portrait, audio_format, options)
        return Call(self._servers, config, None if speech is None else parts, self._patience)

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
        avatar: pb.Avatar = self._ask(lambda stub: stub.RegisterAvatar(request)).avatar
        return avatar

    def _register_video(
        self, request: pb.RegisterVideoRequest, on_progress: OnProgress | None
    ) -> pb.Avatar:
        def follow(stub: Any) -> pb.Avatar:
            reply = pb.RegisterVideoResponse()
            for reply in stub.RegisterVideo(request):
                if reply.HasField("progress") and on_progress is not None:
                    on_progress(reply.progress.frames_done, reply.progress.frames)
            return reply.registered.avatar

        avatar: pb.Avatar = self._ask(follow)
        return avatar

    def avatar(self, avatar_id: str) -> pb.Avatar:
        """A registered avatar by its id."""
        request = pb.GetAvatarRequest(avatar_id=avatar_id)
        avatar: pb.Avatar = self._ask(lambda stub: stub.GetAvatar(request)).avatar
        return avatar

    def delete(self, avatar: pb.Avatar) -> None:
        """Forget a registered avatar."""
        request = pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id)
        self._ask(lambda stub: stub.DeleteAvatar(request))

    def info(self) -> pb.GetServerInfoResponse:
        """Version, packs and limits of the server."""
        request = pb.GetServerInfoRequest()
        info: pb.GetServerInfoResponse = self._ask(lambda stub: stub.GetServerInfo(request))
        return info

    def close(self) -> None:
        """Close the connections; live calls end."""
        for server in self._servers.connections:
            server.channel.close()

    def _ask(self, do: Callable[[Any], Any]) -> Any:
        """What the first server that is there says. Raises what the last one said where none is."""
        error = StageUnavailableError("no server was asked")
        for address in self._servers.in_order():
            stub = self._servers.at(address).stub
            try:
                return _translated(partial(do, stub))
            except StageUnavailableError as found:
                error = found
        raise error

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _translated(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except grpc.RpcError as error:  # reads like the asynchronous one
        raise error_from_rpc(cast(grpc.aio.AioRpcError, error), "the server") from None
