"""What the blocking call and the one of asyncio share: what has come, and when to move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ditto.client.call_memory import CallMemory
from ditto.client.responses import Chunk, Event, EventKind, Frame, Item, item_of
from ditto.client.servers import Patience, Servers
from ditto.errors import DittoError, StageUnavailableError
from ditto.v1 import animation_pb2 as pb


class MovingCall:
    """One talking head, that may go on at another server when its own is gone."""

    started: pb.Started
    """The settings in effect."""

    def __init__(
        self, servers: Servers[Any], config: pb.AnimateConfig, patience: Patience | None
    ) -> None:
        """`patience` None: the call ends with its server."""
        self.stats: pb.CallStats | None = None
        """The measured numbers, once everything has been read."""
        self._servers = servers
        self._patience = patience
        self._memory = CallMemory(config, is_kept=patience is not None)
        self._speech_error: Exception | None = None
        self._is_cancelled = False
        self._moved = ""

    def _items(self, response: pb.AnimateResponse) -> Iterator[Item]:
        """What a response has for the caller, who is told of a move before the first of it."""
        silent_s = self._memory.silent_s
        if not self._memory.is_new(response):
            return
        if response.HasField("stats"):
            self.stats = response.stats
        elif item := item_of(response):
            if self._moved and isinstance(item, Frame | Chunk):
                yield _resumed(item, self._moved, silent_s)
                self._moved = ""
            yield item

    @property
    def _may_leave(self) -> bool:
        return self._servers.count > 1 and self._memory.can_resume

    def _may_move(self, error: DittoError) -> bool:
        is_gone = isinstance(error, StageUnavailableError)
        return is_gone and self._memory.can_resume and not self._is_cancelled

    def _assert_whole(self, response: pb.AnimateResponse | None) -> None:
        """Raise for an end without numbers, of a call that can go on elsewhere."""
        if response is None and self.stats is None and self._memory.can_resume:
            raise StageUnavailableError("the server: ended the call early")


def started_of(response: pb.AnimateResponse | None) -> pb.Started:
    """The first response of a server."""
    if response is None:
        raise StageUnavailableError("the server: ended the call early")
    return response.started


def is_draining(item: Item) -> bool:
    """The server that said so will stop soon."""
    return isinstance(item, Event) and item.kind is EventKind.DRAINING


def _resumed(item: Frame | Chunk, detail: str, silent_s: float) -> Event:
    """What tells a caller that the call moved, before the first item from its new server."""
    first = item.index if isinstance(item, Frame) else item.first_frame
    return Event(EventKind.RESUMED, first, detail, 0, silent_s * 1000)
