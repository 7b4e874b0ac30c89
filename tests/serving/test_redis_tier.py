"""A Redis that is dead, frozen, full or none at all costs little and disturbs nobody."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from ditto.errors import SetupError, StageUnavailableError
from ditto.serving.breaker import FAILURES, PAUSE_S
from ditto.serving.redis_tier import TIMEOUT_S, RedisTier
from tests.serving.caching import KEY, Source, cache_of, counted, is_up
from tests.until import until


async def test_a_full_redis_does_not_disturb(redis):
    redis.client.config_set("maxmemory-policy", "noeviction")
    redis.client.config_set("maxmemory", 1)
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")


async def test_a_redis_that_is_full_still_gives_what_it_has(redis):
    await cache_of(redis.url).get_or_compute("old", Source("v-old"))
    redis.client.config_set("maxmemory-policy", "noeviction")
    redis.client.config_set("maxmemory", 1)
    errors = REGISTRY.get_sample_value("ditto_redis_errors_total")
    for number in range(FAILURES + 2):
        await cache_of(redis.url).get_or_compute(f"k{number}", Source())
    cache = cache_of(redis.url)
    for number in range(FAILURES + 2):
        await cache.get_or_compute(f"n{number}", Source())
    assert await cache.get("old") == ("v-old", "redis")
    assert REGISTRY.get_sample_value("ditto_redis_errors_total") == errors + 2 * (FAILURES + 2)
    assert is_up() == 1


async def test_a_full_redis_that_evicts_forgets_the_oldest(redis):
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    redis.client.config_set("maxmemory", redis.client.info("memory")["used_memory"] + 2_000_000)
    cache = cache_of(redis.url)
    for number in range(20):
        await cache.get_or_compute(f"k{number}", Source("v" * 300_000, takes_s=0))
    held = [n for n in range(20) if await cache_of(redis.url).get(f"k{n}")]
    assert 0 < len(held) < 20
    assert redis.client.info("stats")["evicted_keys"] > 0
    assert is_up() == 1


async def test_a_dead_redis_is_left_alone_and_comes_back(redis):
    now = 0.0
    cache = cache_of(redis.url, clock=lambda: now)
    redis.kill()
    for number in range(FAILURES + 2):
        assert (await cache.get_or_compute(f"k{number}", Source()))[1] == "computed"
    skipped = counted("redis", "skipped")
    assert await cache.get("k-next") is None
    assert counted("redis", "skipped") == skipped + 1
    with pytest.raises(StageUnavailableError, match="redis"):
        await cache.delete(KEY)
    redis.start()
    now += PAUSE_S + 1
    await cache.get_or_compute("back", Source())
    assert redis.client.exists("test:back")


async def test_a_frozen_redis_costs_a_bounded_time_once(redis):
    cache = cache_of(redis.url)
    await cache.get_or_compute("warm", Source())
    redis.freeze()
    try:
        begun = time.monotonic()
        for number in range(4):
            assert (await cache.get_or_compute(f"k{number}", Source()))[1] == "computed"
        assert time.monotonic() - begun < (FAILURES + 1.5) * TIMEOUT_S
    finally:
        redis.thaw()


async def test_one_slow_answer_is_enough_to_leave_redis_alone(redis):
    cache = cache_of(redis.url)
    await cache.get_or_compute("warm", Source())
    redis.freeze()
    try:
        begun = time.monotonic()
        await cache.get_or_compute("first", Source())
        first_s = time.monotonic() - begun
        begun = time.monotonic()
        for number in range(5):
            assert (await cache.get_or_compute(f"k{number}", Source(takes_s=0)))[1] == "computed"
        rest_s = time.monotonic() - begun
    finally:
        redis.thaw()
    assert TIMEOUT_S <= first_s < 2 * TIMEOUT_S
    assert rest_s < 0.5 * TIMEOUT_S
    assert is_up() == 0


async def test_the_watch_finds_a_lost_redis_and_a_mended_one_without_any_call(redis, monkeypatch):
    monkeypatch.setattr("ditto.serving.redis_tier.WATCH_S", 0.05)
    cache = cache_of(redis.url)
    watching = asyncio.create_task(cache.watch())
    try:
        await until(lambda: is_up() == 1)
        redis.kill()
        await until(lambda: is_up() == 0)
        skipped = counted("redis", "skipped")
        await until(lambda: cache._remote._breaker.is_open)
        assert await cache.get(KEY) is None
        assert counted("redis", "skipped") == skipped + 1
        redis.start()
        await until(lambda: is_up() == 1)
        await cache.get_or_compute("back", Source())
        assert redis.client.exists("test:back")
    finally:
        watching.cancel()


@pytest.fixture
def babbling_port() -> Iterator[int]:
    """A server that answers everything with bytes that are no Redis protocol."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"\x00\xff$-7\r\n*9999999\r\nHTTP/1.1 200 OK\r\n\r\n")

        threading.Thread(target=babble, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


async def test_a_server_that_is_no_redis_does_not_disturb(babbling_port):
    cache = cache_of(f"redis://127.0.0.1:{babbling_port}/0")
    for number in range(3):
        assert (await cache.get_or_compute(f"k{number}", Source()))[1] == "computed"


def test_a_wrong_address_is_a_setup_error():
    with pytest.raises(SetupError, match="redis_url"):
        RedisTier("http://nowhere", 60)
