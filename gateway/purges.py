"""What deleted avatars leave behind, until every tier has dropped it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ditto.errors import StageUnavailableError

log = logging.getLogger(__name__)

EVERY_S = 10.0
"""Pause between two attempts to purge what could not be purged at once."""


class PurgeNotes:
    """Content keys in a folder, a small file each. Every method blocks for a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, keys: Iterable[str]) -> None:
        """Note keys, on the disk."""
        self._folder.mkdir(exist_ok=True)
        for key in keys:
            self._file(key).write_text(key)

    def keys(self) -> set[str]:
        """All that are noted."""
        return {file.read_text() for file in self._folder.glob("*.key")} - {""}

    def remove(self, keys: Iterable[str]) -> None:
        """Strike keys out."""
        for key in keys:
            self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.key"


class _Store(Protocol):
    def to_purge(self) -> set[str]: ...

    def purged(self, content_key: str) -> None: ...


class _Desk(Protocol):
    async def drop(self, content_key: str) -> None: ...


class Purger:
    """Has every renderer drop what no avatar refers to any more."""

    def __init__(self, store: _Store, desk: _Desk) -> None:
        self._store = store
        self._desk = desk

    async def purge(self, keys: Iterable[str]) -> None:
        """Purge these keys. Raises `StageUnavailableError` for those that must be tried again."""
        failure: StageUnavailableError | None = None
        for key in keys:
            try:
                await self._desk.drop(key)
            except StageUnavailableError as error:
                failure = error
            else:
                await asyncio.to_thread(self._store.purged, key)
        if failure:
            raise failure

    async def retry_forever(self) -> None:
        """Try again with whatever is left, by this gateway or another, until cancelled."""
        while True:
            try:
                await self.purge(await asyncio.to_thread(self._store.to_purge))
            except (StageUnavailableError, OSError) as error:
                log.warning("not purged yet", extra={"fields": {"why": str(error)}})
            await asyncio.sleep(EVERY_S)
