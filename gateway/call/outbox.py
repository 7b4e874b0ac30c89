"""The way to the caller: one message at a time, from any task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ditto.v1 import animation_pb2 as pb
from gateway.clock import Clock

Write = Callable[[pb.AnimateResponse], Awaitable[None]]


class Outbox:
    """Serialises writes and knows since when the caller has not taken one."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._writing = asyncio.Lock()
        self.blocked_since_s: float | None = None
        """When the write that is under way began."""
        self.sent = 0
        """Messages so far."""

    async def send(self, response: pb.AnimateResponse) -> None:
        """Send a message; waits until the transport takes it."""
        async with self._writing:
            self.blocked_since_s = self._clock.now()
            await self._write(response)
            self.blocked_since_s = None
            self.sent += 1

    async def event(self, event: pb.Event) -> None:
        """Send an event."""
        await self.send(pb.AnimateResponse(event=event))
