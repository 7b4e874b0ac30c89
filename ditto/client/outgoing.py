"""Requests on their way from any thread to the one that gRPC sends from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from threading import Condition

from ditto.v1 import animation_pb2 as pb

_MOST = 16
"""Requests that may wait; whoever adds more waits for the server."""


class Outgoing(Iterator[pb.AnimateRequest]):
    """A bounded queue that gRPC iterates over."""

    def __init__(self) -> None:
        self._requests: deque[pb.AnimateRequest] = deque()
        self._changed = Condition()
        self._is_ended = False
        self.is_closed = False
        """The call has ended."""

    def put(self, request: pb.AnimateRequest) -> None:
        """Add a request; it is dropped when the call has ended."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._requests) < _MOST or self.is_closed)
            if not self.is_closed and not self._is_ended:
                self._requests.append(request)
                self._changed.notify_all()

    def end(self) -> None:
        """Close the stream after what was added."""
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """The call has ended: let everybody go who waits here."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def __next__(self) -> pb.AnimateRequest:
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._is_ended or self.is_closed)
            if self.is_closed or not self._requests:
                raise StopIteration
            request = self._requests.popleft()
            self._changed.notify_all()
            return request
