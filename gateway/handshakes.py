"""Takes in the first messages of calls a few at a time: each may carry a portrait of many MiB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from ditto.errors import AtCapacityError, ProtocolError
from gateway.dropped_tasks import drop

Message = TypeVar("Message")

_AT_ONCE = 4
_TURN_S = 1.0
"""Who sends nothing for so long waits on without a turn: silence must not lock others out."""
_RETRY_MS = 1000


class Handshakes:
    """Turns for reading a first message, given in order of arrival, whichever the contract."""

    def __init__(
        self,
        limit_s: float,
        at_once: int = _AT_ONCE,
        turn_s: float = _TURN_S,
    ) -> None:
        """A call waits ``limit_s`` at most for its turn, and as long for its message."""
        self._limit_s = limit_s
        self._turns = asyncio.Semaphore(at_once)
        self._turn_s = turn_s

    async def config(self, requests: AsyncIterator[Any], oneof: str) -> Any:
        """The ``config`` of the ``oneof`` that a call must begin with. Raises `ProtocolError` when
        something else comes first, or nothing in time, `AtCapacityError` without a turn in time."""
        try:
            request = await self.read(anext(requests, None))
        except TimeoutError:
            raise ProtocolError(f"config: did not come within {self._limit_s:g} s") from None
        if request is None or request.WhichOneof(oneof) != "config":
            raise ProtocolError("config: must be the first message of a call")
        return request.config

    async def read(self, message: Awaitable[Message]) -> Message:
        """The message, which is not read before it is this call's turn. Raises `TimeoutError` when
        it does not come in time from then on, `AtCapacityError` when there is no turn in time."""
        await self._turn()
        async with asyncio.timeout(self._limit_s):
            return await self._in_turn(message)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                await self._turns.acquire()
        except TimeoutError:
            raise AtCapacityError(
                f"config: was not read within {self._limit_s:g} s, others came before it",
                _RETRY_MS,
            ) from None

    async def _in_turn(self, message: Awaitable[Message]) -> Message:
        reading = asyncio.ensure_future(message)
        try:
            await asyncio.wait({reading}, timeout=self._turn_s)
        except asyncio.CancelledError:
            drop(reading)
            raise
        finally:
            self._turns.release()
        return await reading
