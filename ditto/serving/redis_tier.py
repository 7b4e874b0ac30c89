"""The shared cache tier: checked values in Redis, which may die, stall or lie at any time.

A Redis that is slow costs one request its timeout, once: then it is left alone until a ping of the
watch finds it well again. One that answers with an error (full, wrong type) is there: such an
answer is counted and stops nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ditto.errors import CorruptDataError, StageUnavailableError
from ditto.serving import metrics
from ditto.serving.breaker import CircuitBreaker
from ditto.serving.redis_access import TIMEOUT_S, RedisAccess, RedisConfig

log = logging.getLogger(__name__)

TIER = "redis"
WATCH_S = 2.0
"""Time between two pings: at most so long until a lost Redis is known, and a mended one used."""
RESULTS = ("hit", "miss", "error", "corrupt", "skipped")
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

    def __init__(
        self, access: RedisAccess | str, ttl_s: int, breaker: CircuitBreaker | None = None
    ) -> None:
        """``access``, or a bare URL; entries expire ``ttl_s`` after they were written."""
        if isinstance(access, str):
            access = RedisAccess(RedisConfig(redis_url=access))
        self._access = access
        self._redis: Redis = access.open()
        self._version = access.version
        self._ttl_s = ttl_s
        self._breaker = breaker or CircuitBreaker()
        for result in RESULTS:  # shown as 0: an alert sees only what increases
            metrics.CACHE_REQUESTS.labels(TIER, result)

    async def watch(self) -> None:
        """Ping Redis now and then until cancelled: calls need not be the ones to find it ill."""
        while True:
            with suppress(StageUnavailableError):
                await self._request(lambda: self._redis.ping())
            await asyncio.sleep(WATCH_S)

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

    async def _renew(self) -> None:
        """Connect anew once the certificates have changed."""
        if (version := self._access.version) != self._version:
            old, self._redis, self._version = self._redis, self._access.open(), version
            await old.aclose()

    async def _request(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._renew()
                reply = await send()
        except Exception as error:  # garbage in place of a reply fails in ways without number
            metrics.REDIS_ERRORS.inc()
            self._judge(error)
            log.warning("redis failed", extra={"fields": {"why": repr(error)}})
            raise StageUnavailableError(f"redis: {error}") from error
        self._breaker.succeeded()
        metrics.REDIS_UP.labels(TIER).set(1)
        return reply

    def _judge(self, error: Exception) -> None:
        """Whether Redis is to be left alone."""
        if isinstance(error, ResponseError):
            self._breaker.succeeded()
            metrics.REDIS_UP.labels(TIER).set(1)
            return
        self._breaker.failed(was_slow=isinstance(error, TimeoutError | RedisTimeoutError))
        metrics.REDIS_UP.labels(TIER).set(0)
