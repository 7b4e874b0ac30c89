"""One live stream to one replica of a stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from grpc.aio import AioRpcError, Metadata

from ditto.errors import DittoError, StageUnavailableError
from ditto.serving.call_writes import write_message
from ditto.serving.errors import error_from_rpc
from ditto.v1 import types_pb2 as types
from gateway.replay import Replay
from gateway.replicas import Replica

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]


class StageStream(Generic[Request, Response]):
    """Writes in order from any task, reads from one, and speaks in errors of this project."""

    def __init__(self, module: str, replica: Replica, call: Any) -> None:
        """`call` is a stream just opened on the replica's channel."""
        self.module = module
        self.replica = replica
        self.session = types.SessionAccepted()
        """Who serves the stream; set by whoever opens it."""
        self.replay: Replay[Request] = Replay()
        self._call = call
        self.peer = f"{module} at {replica.address}"
        """Names the other end in errors."""
        self._writing = asyncio.Lock()
        self._is_finished = False
        self._is_closed = False
        replica.free_slots -= 1

    async def write(self, request: Request) -> None:
        """Send a request; waits while the stage is busy with earlier ones."""
        async with self._writing:
            self.replay.sent(request)
            await self.send(request)

    async def send(self, request: Request) -> None:
        """Send a request that a replacement would not need: part of opening the session."""
        if not await write_message(self._call, request):
            raise await self._failure()

    async def finish(self) -> None:
        """Nothing more will be written; the last replies follow."""
        async with self._writing:
            self._is_finished = True
            await self._call.done_writing()

    async def reply(self) -> Response:
        """The next reply, where there must be one."""
        async for response in self.replies():
            return response
        raise self._ended_early()

    async def replies(self) -> AsyncIterator[Response]:
        """All replies until the stage has answered everything.

        Raises `StageUnavailableError` when the replica is gone or ends the stream before
        `finish`, and the stage's own error when it refuses something.
        """
        try:
            while (response := await self._call.read()) is not _EOF:
                yield response
        except AioRpcError as error:
            raise error_from_rpc(error, self.peer) from None
        if not self._is_finished:
            raise self._ended_early()

    @property
    def is_live(self) -> bool:
        """The stage has still something to answer."""
        return not self._call.done()

    def close(self) -> None:
        """Free the session slot, whatever state the stream is in."""
        if not self._is_closed:
            self._is_closed = True
            self._call.cancel()
            self.replica.free_slots += 1

    async def _failure(self) -> DittoError:
        code = await self._call.code()
        if code is grpc.StatusCode.OK:
            return self._ended_early()
        trailers = await self._call.trailing_metadata() or Metadata()
        error = AioRpcError(code, Metadata(), trailers, await self._call.details(), None)
        return error_from_rpc(error, self.peer)

    def _ended_early(self) -> StageUnavailableError:
        return StageUnavailableError(f"{self.peer}: ended the session too early")
