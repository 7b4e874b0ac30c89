"""What was sent in a stage session and would have to be sent again: all that no checkpoint covers.

Requests are numbered from the start of the session, whichever replica serves it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)

MAX_BYTES = 32 * 2**20
"""A stage that is so far behind gets nothing more until it has caught up."""
_REQUEST_BYTES = 64
"""What a request costs beside its content."""


class SessionLog(Generic[Request]):
    """The requests after the last checkpoint, for one reader that follows them as they come."""

    def __init__(self) -> None:
        self.checkpoint = b""
        """Opaque state of the stage; empty before the first."""
        self.covered = 0
        """Requests that the checkpoint stands for, or that need not be sent again."""
        self.answered = 0
        """Requests that the stage has dealt with."""
        self.is_ended = False
        """No more will come."""
        self.is_closed = False
        """Nothing of it matters any more."""
        self._requests: deque[Request] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    @property
    def end(self) -> int:
        """Requests so far."""
        return self.covered + len(self._requests)

    @property
    def first(self) -> Request | None:
        """The first of those that would be sent again."""
        return self._requests[0] if self._requests else None

    @property
    def requests(self) -> tuple[Request, ...]:
        """Those that would be sent again."""
        return tuple(self._requests)

    @property
    def is_busy(self) -> bool:
        """The stage still has something to answer."""
        return self.is_ended or self.answered < self.end

    async def add(self, request: Request) -> int:
        """Take a request, once there is room for it; give its number."""
        await self.until(lambda: self._bytes < MAX_BYTES or self.is_closed)
        self._requests.append(request)
        self._bytes += _size(request)
        self.notify()
        return self.end - 1

    def finish(self) -> None:
        """There are no more requests."""
        self.is_ended = True
        self.notify()

    def close(self) -> None:
        """Let go of whoever waits."""
        self.is_closed = True
        self.notify()

    async def request(self, number: int) -> Request | None:
        """A request, waited for; None behind the last one."""
        await self.until(lambda: number < self.end or self.is_ended)
        return self._requests[number - self.covered] if number < self.end else None

    def answer(self, answered: int, covered: int, checkpoint: bytes = b"") -> None:
        """So many requests are dealt with, and so many need not be sent again."""
        self.answered = max(self.answered, answered)
        self.checkpoint = checkpoint or self.checkpoint
        while self.covered < covered and self._requests:
            self._bytes -= _size(self._requests.popleft())
            self.covered += 1
        self.notify()

    def begin_again(self, requests: Iterable[Request] | None = None) -> None:
        """A replacement starts from the checkpoint, or from these requests in place of all."""
        if requests is not None:
            end, self.checkpoint = self.end, b""
            self._requests = deque(requests)
            self._bytes = sum(map(_size, self._requests))
            self.covered = end - len(self._requests)
        self.answered = self.covered

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a condition that changes with this log, or with a `notify`."""
        while not is_so():
            await self._changed.wait()

    def notify(self) -> None:
        """Wake all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()


def _size(request: Message) -> int:
    return request.ByteSize() + _REQUEST_BYTES
