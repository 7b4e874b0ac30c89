"""Bounded reading of a call's request stream: one message at a time, and never waiting for ever.

The next message is read only when the last one was handled; what a caller sends meanwhile waits in
the transport's flow-control window, which pushes back on the caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from ditto.errors import CallLimitError, ProtocolError

Request = TypeVar("Request")


class RequestReader(Generic[Request]):
    """The requests of one call, with a limit on the caller's silence."""

    def __init__(self, requests: AsyncIterator[Request], idle_s: float) -> None:
        self._requests = requests
        self._idle_s = idle_s

    async def next(self) -> Request | None:
        """The next request; None when the caller has closed the stream.

        Raises `CallLimitError` when nothing comes for ``idle_s``.
        """
        try:
            async with asyncio.timeout(self._idle_s):
                return await anext(self._requests, None)
        except TimeoutError:
            raise CallLimitError(f"nothing was sent for {self._idle_s:g} s") from None

    async def first(self, expected: str) -> Request:
        """The first request. Raises `ProtocolError` when the stream is closed without one."""
        request = await self.next()
        if request is None:
            raise ProtocolError(f"the stream was closed before its {expected}")
        return request

    async def __aiter__(self) -> AsyncIterator[Request]:
        while (request := await self.next()) is not None:
            yield request
