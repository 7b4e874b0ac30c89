"""A cache of two tiers: a local byte-bounded LRU in front of Redis, each computed value once.

The cache may lose anything at any time; what it returns is always what was put in, since every
value that comes from outside this process is checked against the checksum it was stored with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from ditto.errors import CorruptDataError
from ditto.serving import metrics
from ditto.serving.lru import ByteBoundedLru
from ditto.serving.redis_tier import TIER, RedisTier

Value = TypeVar("Value")

Source = Literal["local", "redis", "computed"]
"""Where a value came from."""


@dataclass(frozen=True)
class Codec(Generic[Value]):
    """How a value is written for the shared tier. Both run in a thread."""

    dump: Callable[[Value], bytes]
    load: Callable[[bytes], Value]
    """Raises `CorruptDataError`."""


@dataclass
class _Flight(Generic[Value]):
    """One computation and how many wait for it."""

    task: asyncio.Task[tuple[Value, Source]]
    waiters: int = 0


class TieredCache(Generic[Value]):
    """Values by key. Used from the event loop only."""

    def __init__(
        self,
        namespace: str,
        codec: Codec[Value],
        local: ByteBoundedLru[Value],
        remote: RedisTier | None,
    ) -> None:
        """``namespace`` separates what must never meet in Redis: kinds and versions of values."""
        self._namespace = namespace
        self._codec = codec
        self._local = local
        self._remote = remote
        self._flights: dict[str, _Flight[Value]] = {}

    async def get(self, key: str) -> tuple[Value, Source] | None:
        """The value from the nearest tier that has it, or None."""
        value = self._local.get(key)
        if value is not None:
            return value, "local"
        value = await self._from_remote(key)
        return None if value is None else (value, "redis")

    async def get_or_compute(
        self, key: str, compute: Callable[[], Awaitable[Value]]
    ) -> tuple[Value, Source]:
        """The value from the cache, or computed and stored: once, however many ask together.

        A computation is cancelled when everybody who waited for it is gone. Its error goes to all.
        """
        value = self._local.get(key)
        if value is not None:
            return value, "local"
        flight = self._flights.get(key)
        if flight is None:
            task = asyncio.create_task(self._fly(key, compute))
            flight = self._flights[key] = _Flight(task)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0:
                del self._flights[key]
                flight.task.cancel()

    async def delete(self, key: str) -> None:
        """Forget a value in both tiers.

        Raises `StageUnavailableError` when the shared tier cannot be told so.
        """
        if flight := self._flights.get(key):
            await asyncio.wait({flight.task})
        self._local.discard(key)
        if self._remote is not None:
            await self._remote.delete(self._remote_key(key))

    async def watch(self) -> None:
        """Look after the shared tier until cancelled."""
        if self._remote is not None:
            await self._remote.watch()

    async def close(self) -> None:
        """Close the connections of the shared tier."""
        if self._remote is not None:
            await self._remote.close()

    async def _fly(self, key: str, compute: Callable[[], Awaitable[Value]]) -> tuple[Value, Source]:
        value = await self._from_remote(key)
        if value is not None:
            return value, "redis"
        value = await compute()
        self._local.put(key, value)
        if self._remote is not None:
            payload = await asyncio.to_thread(self._codec.dump, value)
            await self._remote.put(self._remote_key(key), payload)
        return value, "computed"

    async def _from_remote(self, key: str) -> Value | None:
        if self._remote is None:
            return None
        payload = await self._remote.get(self._remote_key(key))
        if payload is None:
            return None
        try:
            value = await asyncio.to_thread(self._codec.load, payload)
        except CorruptDataError:
            metrics.CACHE_REQUESTS.labels(TIER, "corrupt").inc()
            return None
        self._local.put(key, value)
        return value

    def _remote_key(self, key: str) -> str:
        return f"{self._namespace}:{key}"
