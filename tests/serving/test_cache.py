"""The two-tier cache on a real Redis: shared, single flight, never wrong whatever Redis does."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from ditto.errors import CorruptDataError, FaceError, SetupError, StageUnavailableError
from ditto.serving.breaker import FAILURES, PAUSE_S, CircuitBreaker
from ditto.serving.cache import Codec, TieredCache
from ditto.serving.lru import ByteBoundedLru
from ditto.serving.redis_tier import TIMEOUT_S, RedisTier

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


async def test_each_tier_answers_in_turn(redis):
    first, second, source = cache_of(redis.url), cache_of(redis.url), Source()
    assert await first.get(KEY) is None
    assert await first.get_or_compute(KEY, source) == ("value", "computed")
    assert await first.get(KEY) == ("value", "local")
    assert await second.get_or_compute(KEY, source) == ("value", "redis")
    assert await second.get_or_compute(KEY, source) == ("value", "local")
    assert source.runs == 1
    assert 0 < redis.client.ttl(f"test:{KEY}") <= 60


async def test_another_namespace_is_another_world(redis):
    await cache_of(redis.url).get_or_compute(KEY, Source())
    assert await cache_of(redis.url, namespace="other").get(KEY) is None


async def test_many_askers_make_one_computation(redis):
    cache, source = cache_of(redis.url), Source()
    answers = await asyncio.gather(*(cache.get_or_compute(KEY, source) for _ in range(20)))
    assert set(answers) == {("value", "computed")}
    assert source.runs == 1


async def test_an_error_goes_to_all_and_is_not_kept():
    async def fail() -> str:
        await asyncio.sleep(0.01)
        raise FaceError("no face")

    cache = cache_of(None)
    tasks = (cache.get_or_compute(KEY, fail) for _ in range(3))
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [FaceError] * 3
    assert await cache.get_or_compute(KEY, Source()) == ("value", "computed")


async def test_one_asker_who_leaves_does_not_disturb_the_others():
    cache, source = cache_of(None), Source()
    leaves, stays = (asyncio.create_task(cache.get_or_compute(KEY, source)) for _ in range(2))
    await asyncio.sleep(0.01)
    leaves.cancel()
    assert await stays == ("value", "computed")
    assert (source.runs, source.cancelled) == (1, 0)


async def test_the_last_asker_who_leaves_ends_the_computation():
    cache, source = cache_of(None), Source()
    tasks = [asyncio.create_task(cache.get_or_compute(KEY, source)) for _ in range(2)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert await cache.get_or_compute(KEY, source) == ("value", "computed")
    assert (source.runs, source.cancelled) == (2, 1)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
async def test_a_corrupt_entry_is_computed_again_and_replaced(redis, damage):
    await cache_of(redis.url).get_or_compute(KEY, Source())
    stored = redis.client.get(f"test:{KEY}")
    redis.client.set(f"test:{KEY}", stored[:-1] + b"X" if damage is None else damage)
    before = counted("redis", "corrupt")
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")
    assert counted("redis", "corrupt") == before + 1
    assert redis.client.get(f"test:{KEY}") == stored


async def test_an_entry_under_a_foreign_key_is_not_believed(redis):
    await cache_of(redis.url).get_or_compute("other", Source("v-other"))
    redis.client.rename("test:other", f"test:{KEY}")
    assert await cache_of(redis.url).get(KEY) is None


async def test_a_value_that_its_codec_refuses_is_computed_again(redis):
    await cache_of(redis.url).get_or_compute(KEY, Source("no v at the start"))
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")


async def test_a_key_of_another_type_is_an_error_and_not_fatal(redis):
    redis.client.lpush(f"test:{KEY}", "a list")
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")


async def test_delete_forgets_in_both_tiers_even_during_a_computation(redis):
    cache, source = cache_of(redis.url), Source()
    asking = asyncio.create_task(cache.get_or_compute(KEY, source))
    await asyncio.sleep(0.02)
    await cache.delete(KEY)
    assert await asking == ("value", "computed")
    assert await cache.get(KEY) is None
    assert redis.client.exists(f"test:{KEY}") == 0


async def test_a_full_redis_does_not_disturb(redis):
    redis.client.config_set("maxmemory-policy", "noeviction")
    redis.client.config_set("maxmemory", 1)
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")


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


async def test_a_late_answer_is_never_taken_for_another_key(redis):
    now = 0.0
    cache = cache_of(redis.url, clock=lambda: now)
    other = cache_of(redis.url)
    for number in range(3):
        await other.get_or_compute(f"k{number}", Source(f"v{number}"))
    redis.freeze()
    assert await cache.get("k0") is None
    redis.thaw()
    now += PAUSE_S + 1
    assert await cache.get("k1") == ("v1", "redis")
    assert await cache.get("k2") == ("v2", "redis")


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


def test_the_local_tier_keeps_its_bound_and_drops_the_least_recently_used():
    lru: ByteBoundedLru[str] = ByteBoundedLru(10, len)
    for value in ("aaaa", "bbbb"):
        lru.put(value[0], value)
    assert lru.get("a") == "aaaa"
    lru.put("c", "cccc")
    assert (lru.get("a"), lru.get("b"), lru.get("c")) == ("aaaa", None, "cccc")
    lru.put("d", "d" * 11)
    assert lru.get("d") is None
    lru.put("a", "aa")
    assert REGISTRY.get_sample_value("ditto_cache_bytes", {"tier": "local"}) == 6


def test_a_value_that_grows_is_weighed_again_when_used():
    lru: ByteBoundedLru[list[int]] = ByteBoundedLru(10, len)
    lru.put("old", [0] * 4)
    growing = [0] * 4
    lru.put("growing", growing)
    growing.extend([0] * 5)
    assert lru.get("growing") is growing
    assert lru.get("old") is None


def test_the_breaker_opens_after_failures_in_a_row_and_tries_again():
    now = 0.0
    breaker = CircuitBreaker(lambda: now)
    breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES):
        assert not breaker.is_open
        breaker.failed()
    assert breaker.is_open
    now += PAUSE_S
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open


def is_up() -> float | None:
    return REGISTRY.get_sample_value("ditto_redis_up", {"tier": "redis"})


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
        await _until(lambda: is_up() == 1)
        redis.kill()
        await _until(lambda: is_up() == 0)
        skipped = counted("redis", "skipped")
        await _until(lambda: cache._remote._breaker.is_open)
        assert await cache.get(KEY) is None
        assert counted("redis", "skipped") == skipped + 1
        redis.start()
        await _until(lambda: is_up() == 1)
        await cache.get_or_compute("back", Source())
        assert redis.client.exists("test:back")
    finally:
        watching.cancel()


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


@pytest.mark.parametrize("cut", [1, 4, 36, 1000])
async def test_a_truncated_entry_is_computed_again(redis, cut):
    await cache_of(redis.url).get_or_compute(KEY, Source("v" * 5000))
    stored = redis.client.get(f"test:{KEY}")
    redis.client.set(f"test:{KEY}", stored[:cut])
    assert (await cache_of(redis.url).get_or_compute(KEY, Source()))[1] == "computed"


async def _until(is_so, within_s: float = 5.0) -> None:
    end_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.02)
