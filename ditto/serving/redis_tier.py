"""The shared cache tier: checked values in Redis, which may die, stall or lie at any time."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ditto.errors import CorruptDataError, SetupError, StageUnavailableError
from ditto.serving import metrics
from ditto.serving.breaker import CircuitBreaker

log = logging.getLogger(__name__)

TIER = "redis"
TIMEOUT_S = 0.5
"""Longest wait for one request; a value is a few MiB at most."""
_MAGIC = b"DCV1"
_DIGEST_BYTES = 32

Reply = TypeVar("Reply")


def seal(key: str, payload: bytes) -> bytes:
    """A payload with the checksum that ties it to its key."""
    return _MAGIC + _digest(key, payload) + payload


def unseal(key: str, value: bytes) -> bytes:
    """The payload of a sealed value. Raises `CorruptDataError` when it is not what was stored."""
    head, payload = value[: len(_MAGIC) + _DIGEST_BYTES], value[len(_MAGIC) + _DIGEST_BYTES :]
    if head != _MAGIC + _digest(key, payload):
        raise CorruptDataError(f"cache entry {key}: the checksum does not match")
    return payload


def _digest(key: str, payload: bytes) -> bytes:
    digest = hashlib.sha256(key.encode() + b"\0")
    digest.update(payload)
    return digest.digest()


class RedisTier:
    """Payloads by key in Redis. No failure of Redis is an error of `get` or `put`."""

    def __init__(self, url: str, ttl_s: int, breaker: CircuitBreaker | None = None) -> None:
        """``url`` as redis://host:port/db; entries expire ``ttl_s`` after they were written."""
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                max_connections=16,
            )
        except ValueError as error:
            raise SetupError(f"redis_url: {url}: {error}") from None
        self._ttl_s = ttl_s
        self._breaker = breaker or CircuitBreaker()

    async def get(self, key: str) -> bytes | None:
        """The payload; None where it is missing, corrupt or out of reach."""
        payload, result = await self._look_up(key)
        metrics.CACHE_REQUESTS.labels(TIER, result).inc()
        return payload

    async def put(self, key: str, payload: bytes) -> None:
        """Store a payload, if Redis can be reached."""
        if self._breaker.is_open:
            return
        value = await asyncio.to_thread(seal, key, payload)
        try:
            await self._request(lambda: self._redis.set(key, value, ex=self._ttl_s))
        except StageUnavailableError:
            return

    async def delete(self, key: str) -> None:
        """Forget a payload. Raises `StageUnavailableError` when Redis cannot be told so."""
        await self._request(lambda: self._redis.delete(key))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _look_up(self, key: str) -> tuple[bytes | None, str]:
        if self._breaker.is_open:
            return None, "skipped"
        try:
            value = await self._request(lambda: self._redis.get(key))
        except StageUnavailableError:
            return None, "error"
        if value is None:
            return None, "miss"
        try:
            return await asyncio.to_thread(unseal, key, cast(bytes, value)), "hit"
        except CorruptDataError:
            log.warning("corrupt cache entry", extra={"fields": {"key": key}})
            return None, "corrupt"

    async def _request(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reply = await send()
        except Exception as error:  # garbage in place of a reply fails in ways without number
            metrics.REDIS_ERRORS.inc()
            self._breaker.failed()
            log.warning("redis failed", extra={"fields": {"why": repr(error)}})
            raise StageUnavailableError(f"redis: {error}") from error
        self._breaker.succeeded()
        return reply
