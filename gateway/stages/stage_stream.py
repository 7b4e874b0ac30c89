"""One stream to one replica of a stage, as long as that replica lives."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from grpc.aio import AioRpcError

from ditto.errors import StageUnavailableError
from ditto.serving.call_writes import write_message
from ditto.serving.errors import error_from_rpc
from ditto.v1 import types_pb2 as types
from gateway.dropped_tasks import drop
from gateway.stages.replicas import Replica

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]


class StageStream(Generic[Request, Response]):
    """Sends from one task, reads from another, and speaks in errors of this project."""

    def __init__(self, module: str, replica: Replica, call: Any) -> None:
        """`call` is a stream just opened on the replica's channel."""
        self.module = module
        self.replica = replica
        self.session = types.SessionAccepted()
        """Who serves the stream; set by whoever opens it."""
        self.peer = f"{module} at {replica.address}"
        """Names the other end in errors."""
        self._call = call
        self._reading: asyncio.Future[Any] | None = None
        self._is_finished = False
        self._is_closed = False
        replica.opened()

    async def send(self, request: Request) -> bool:
        """Send a request; waits while the stage is busy. False when the stream has ended."""
        return await write_message(self._call, request)

    async def finish(self) -> None:
        """Nothing more will be sent; the last replies follow."""
        self._is_finished = True
        await self._call.done_writing()

    async def ready(self, within_s: float | None = None) -> bool:
        """Wait for the next reply, or the end; False when neither came in time."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
        if not self._reading.done():  # most often asked again once it is there
            await asyncio.wait({self._reading}, timeout=within_s)
        return self._reading.done()

    async def read(self) -> Response | None:
        """The next reply; None when the stage has answered everything.

        Raises `StageUnavailableError` when the replica is gone or ends the stream before
        `finish`, and the stage's own error when it refuses something.
        """
        await self.ready()
        reading, self._reading = self._reading, None
        assert reading is not None
        try:
            response: Response = reading.result()
        except AioRpcError as error:
            raise error_from_rpc(error, self.peer) from None
        if response is not _EOF:
            return response
        if self._is_finished:
            return None
        raise StageUnavailableError(f"{self.peer}: ended the session too early")

    async def reply(self) -> Response:
        """The next reply, where there must be one."""
        if (response := await self.read()) is None:
            raise StageUnavailableError(f"{self.peer}: ended the session too early")
        return response

    def close(self) -> None:
        """Free the session slot, whatever state the stream is in."""
        if not self._is_closed:
            self._is_closed = True
            if self._reading is not None:
                drop(self._reading)
            self._call.cancel()
            self.replica.closed()
