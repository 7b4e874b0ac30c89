"""Caches of strings on a real Redis, and what is counted of them."""

from __future__ import annotations

import asyncio
import time

from prometheus_client import REGISTRY

from ditto.errors import CorruptDataError
from ditto.serving.breaker import CircuitBreaker
from ditto.serving.cache import Codec, TieredCache
from ditto.serving.lru import ByteBoundedLru
from ditto.serving.redis_tier import RedisTier

KEY = "a-portrait"


def decode(data: bytes) -> str:
    if not data.startswith(b"v"):
        raise CorruptDataError("no value")
    return data.decode()


class Source:
    """Computes values, and counts how often."""

    def __init__(self, value: str = "value", takes_s: float = 0.05) -> None:
        self.runs = 0
        self.cancelled = 0
        self._value = value
        self._takes_s = takes_s

    async def __call__(self) -> str:
        self.runs += 1
        try:
            await asyncio.sleep(self._takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._value


def cache_of(url: str | None, clock=time.monotonic, namespace: str = "test") -> TieredCache[str]:
    remote = None if url is None else RedisTier(url, 60, CircuitBreaker(clock))
    local: ByteBoundedLru[str] = ByteBoundedLru(1000, len)
    return TieredCache(namespace, Codec(str.encode, decode), local, remote)


def counted(tier: str, result: str) -> float:
    labels = {"tier": tier, "result": result}
    return REGISTRY.get_sample_value("ditto_cache_requests_total", labels) or 0.0


def is_up() -> float | None:
    return REGISTRY.get_sample_value("ditto_redis_up", {"tier": "redis"})
