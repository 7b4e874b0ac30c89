"""The calls that run now, for draining."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ditto.errors import StageUnavailableError
from ditto.serving import metrics
from gateway.call.session import Session

_MODULE = "gateway"


class LiveCalls:
    """Counts calls, and lets them end when the process shall stop."""

    def __init__(self) -> None:
        self._sessions: set[Session] = set()
        self._is_draining = False
        self._ended = asyncio.Event()
        self._changed()

    @contextmanager
    def holding(self, session: Session) -> Iterator[None]:
        """A call for the length of a block. Raises `StageUnavailableError` while draining."""
        if self._is_draining:
            raise StageUnavailableError("this gateway is going away; call another one")
        self._sessions.add(session)
        self._changed()
        try:
            yield
        finally:
            self._sessions.discard(session)
            self._changed()

    async def drain(self, deadline_s: float) -> None:
        """Tell every caller, then wait for the last call to end."""
        self._is_draining = True
        told = (session.announce_drain(deadline_s) for session in self._sessions)
        await asyncio.gather(*told, return_exceptions=True)
        while self._sessions:
            self._ended.clear()
            await self._ended.wait()

    def _changed(self) -> None:
        metrics.SESSIONS_LIVE.labels(_MODULE).set(len(self._sessions))
        self._ended.set()
