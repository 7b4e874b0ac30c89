"""Requests on their way from any thread to the one that gRPC sends from."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition

from ditto.client.call_memory import CallMemory
from ditto.v1 import animation_pb2 as pb

_MOST = 16
"""Requests that may wait; whoever adds more waits for the server."""


class Outgoing:
    """A bounded queue before whichever server has the call."""

    def __init__(self, memory: CallMemory) -> None:
        self._memory = memory
        self._changed = Condition()
        self._followed: Requests | None = None
        self.is_closed = False
        """The call has ended."""

    def put(self, request: pb.AnimateRequest) -> None:
        """Add a request; it is dropped when the call has ended.

        Nobody waits for a server that is being replaced: the memory has a bound of its own.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_room or self.is_closed)
            if not self.is_closed and not self._memory.is_ended:
                self._memory.add(request)
                self._changed.notify_all()

    def end(self) -> None:
        """Close the stream after what was added."""
        with self._changed:
            self._memory.is_ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """The call has ended: let everybody go who waits here."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def requests(self) -> Requests:
        """Those for a server that the call is moved to, from its first message on."""
        with self._changed:
            return Requests(self, self._memory, self._changed)

    def follow(self, requests: Requests) -> None:
        """From now on these say what has been sent."""
        with self._changed:
            self._followed = requests
            self._changed.notify_all()

    @property
    def _has_room(self) -> bool:
        sent = self._followed
        return sent is None or sent.is_closed or self._memory.end - sent.number < _MOST

    def is_followed(self, requests: Requests) -> bool:
        """These say what has been sent."""
        return self._followed is requests


class Requests(Iterator[pb.AnimateRequest]):
    """The requests to one server, that gRPC iterates over."""

    def __init__(self, outgoing: Outgoing, memory: CallMemory, changed: Condition) -> None:
        """Use `Outgoing.requests`."""
        self._outgoing = outgoing
        self._memory = memory
        self._changed = changed
        self._opening: pb.AnimateRequest | None = memory.opening()
        self._since = memory.end
        self.number = 0
        """The next request."""
        self.is_closed = False
        """This server has done with the call."""

    def close(self) -> None:
        """The server has done with the call."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def __next__(self) -> pb.AnimateRequest:
        with self._changed:
            if opening := self._opening:
                self._opening = None
                return opening
            while not self.is_closed and not self._outgoing.is_closed:
                if found := self._memory.request(self.number, self._since):
                    self.number = found[0] + 1
                    if self._outgoing.is_followed(self):
                        self._memory.passed(self.number)
                    self._changed.notify_all()
                    return found[1]
                if self._memory.is_ended:
                    break
                self._changed.wait()
            raise StopIteration
