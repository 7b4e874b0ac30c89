"""Entries of the shared cache that are wrong in any way are computed again, never believed."""

from __future__ import annotations

import pytest

from ditto.serving.breaker import PAUSE_S
from tests.serving.caching import KEY, Source, cache_of, counted


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
async def test_a_corrupt_entry_is_computed_again_and_replaced(redis, damage):
    await cache_of(redis.url).get_or_compute(KEY, Source())
    stored = redis.client.get(f"test:{KEY}")
    redis.client.set(f"test:{KEY}", stored[:-1] + b"X" if damage is None else damage)
    before = counted("redis", "corrupt")
    assert await cache_of(redis.url).get_or_compute(KEY, Source()) == ("value", "computed")
    assert counted("redis", "corrupt") == before + 1
    assert redis.client.get(f"test:{KEY}") == stored


@pytest.mark.parametrize("cut", [1, 4, 36, 1000])
async def test_a_truncated_entry_is_computed_again(redis, cut):
    await cache_of(redis.url).get_or_compute(KEY, Source("v" * 5000))
    stored = redis.client.get(f"test:{KEY}")
    redis.client.set(f"test:{KEY}", stored[:cut])
    assert (await cache_of(redis.url).get_or_compute(KEY, Source()))[1] == "computed"


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
