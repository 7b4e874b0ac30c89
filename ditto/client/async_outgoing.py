"""Requests on their way from the tasks of an event loop to the server that has the call."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from grpc.aio import AioRpcError

from ditto.client.call_memory import CallMemory
from ditto.client.moving_call import started_of
from ditto.client.servers import Patience
from ditto.errors import StageUnavailableError
from ditto.serving.call_writes import write_message
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]
_MOST = 16
"""Requests that may wait; whoever adds more waits for the server."""


class AsyncOutgoing:
    """A bounded queue before whichever server has the call."""

    def __init__(self, memory: CallMemory) -> None:
        self.memory = memory
        self._changed = asyncio.Event()
        self._line: AsyncLine | None = None

    async def put(self, request: pb.AnimateRequest) -> None:
        """Add a request; it is dropped when the call has ended."""
        while self._line is not None and self._line.is_behind(self.memory.end):
            await self.changed()
        if not self.memory.is_ended:
            self.memory.add(request)
            self.notify()

    def end(self) -> None:
        """Close the stream after what was added."""
        self.memory.is_ended = True
        self.notify()

    def follow(self, line: AsyncLine) -> None:
        """From now on this one says what has been sent."""
        self._line = line
        self.notify()

    def sent(self, line: AsyncLine) -> None:
        """A server has taken another request."""
        if line is self._line:
            self.memory.passed(line.number)
        self.notify()

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait until something is added or sent, or a server has done with the call."""
        await self._changed.wait()


class AsyncLine:
    """The call at one server."""

    def __init__(
        self, address: str, stub: Any, outgoing: AsyncOutgoing, patience: Patience | None
    ) -> None:
        self.address = address
        self.started = pb.Started()
        """What it answered first."""
        self.number = 0
        """The next request."""
        self.is_over = False
        """This server takes nothing any more."""
        self._patience = patience
        self._stall_s = patience.start_seconds if patience else None
        self._rpc = stub.Animate()
        self._outgoing = outgoing
        self._pumping: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Wait until the server has taken the call."""
        opening, since = self._outgoing.memory.opening(), self._outgoing.memory.end
        await write_message(self._rpc, opening)
        self._pumping = asyncio.create_task(self._pump(since))
        self.started = started_of(await self.read())
        if self._patience is not None:
            self._stall_s = self._patience.stall_seconds

    async def read(self) -> pb.AnimateResponse | None:
        """The next response; None at the end."""
        try:
            async with asyncio.timeout(self._stall_s):
                response = await self._rpc.read()
        except AioRpcError as error:
            self.is_over = True
            raise error_from_rpc(error, "the server") from None
        except TimeoutError:
            text = f"the server: said nothing for {self._stall_s:g} s"
            raise StageUnavailableError(text) from None
        return None if response is _EOF else response

    def is_behind(self, end: int) -> bool:
        """The server has not taken what was added a while ago."""
        return not self.is_over and not self._rpc.done() and end - self.number >= _MOST

    def cancel(self) -> None:
        """Give this server up."""
        self.is_over = True
        if self._pumping is not None:
            self._pumping.cancel()
        self._rpc.cancel()
        self._outgoing.notify()

    async def _pump(self, since: int) -> None:
        """Send to the server what the call has for it."""
        memory = self._outgoing.memory
        while True:
            if found := memory.request(self.number, since):
                if not await write_message(self._rpc, found[1]):
                    break
                self.number = found[0] + 1
                self._outgoing.sent(self)
            elif memory.is_ended:
                await self._rpc.done_writing()
                return
            else:
                await self._outgoing.changed()
        self.is_over = True
        self._outgoing.notify()
