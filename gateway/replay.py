"""What a replacement of one stage replica needs to go on where the lost one was."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Request = TypeVar("Request")

MAX_REQUESTS = 1024
"""A stage that falls further behind, or never gives a checkpoint, cannot be replaced."""


class Replay(Generic[Request]):
    """The last checkpoint of a stage session and the requests since."""

    def __init__(self) -> None:
        self.checkpoint = b""
        """Opaque state of the stage; empty before the first."""
        self.requests: deque[Request] = deque()
        """What was sent, in order, and is not in the checkpoint."""
        self.is_whole = True
        """False once requests had to be forgotten."""
        self._taken = 0

    def sent(self, request: Request) -> None:
        """A request went out."""
        if len(self.requests) == MAX_REQUESTS:
            self.requests.clear()
            self.is_whole = False
        if self.is_whole:
            self.requests.append(request)

    def confirmed(self, requests_taken: int, checkpoint: bytes = b"") -> None:
        """The first `requests_taken` requests need not be sent again, given the checkpoint."""
        self.checkpoint = checkpoint or self.checkpoint
        for _ in range(min(requests_taken - self._taken, len(self.requests))):
            self.requests.popleft()
        self._taken = max(self._taken, requests_taken)
