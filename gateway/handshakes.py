"""Takes in the first messages of calls a few at a time: each may carry a portrait of many MiB."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

Message = TypeVar("Message")

_AT_ONCE = 4
_TURN_S = 1.0
"""Who sends nothing for so long waits on without a turn: silence must not lock others out."""
_PATIENCE_S = 5.0
"""A call waits for its turn no longer."""


class Handshakes:
    """Turns for reading a first message, given in order of arrival."""

    def __init__(
        self, at_once: int = _AT_ONCE, turn_s: float = _TURN_S, patience_s: float = _PATIENCE_S
    ) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._turn_s = turn_s
        self._patience_s = patience_s

    async def read(self, message: Awaitable[Message]) -> Message:
        """The message, which is not read before it is this call's turn or patience has run out."""
        if not await self._has_turn():
            return await message
        reading = asyncio.ensure_future(message)
        try:
            await asyncio.wait({reading}, timeout=self._turn_s)
        except asyncio.CancelledError:
            reading.cancel()
            raise
        finally:
            self._turns.release()
        return await reading

    async def _has_turn(self) -> bool:
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._turns.acquire()
        except TimeoutError:
            return False
