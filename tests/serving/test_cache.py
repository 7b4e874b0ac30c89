"""The two-tier cache on a real Redis: shared, single flight, forgotten in both tiers."""

from __future__ import annotations

import asyncio

from ditto.errors import FaceError
from tests.serving.caching import KEY, Source, cache_of


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


async def test_delete_forgets_in_both_tiers_even_during_a_computation(redis):
    cache, source = cache_of(redis.url), Source()
    asking = asyncio.create_task(cache.get_or_compute(KEY, source))
    await asyncio.sleep(0.02)
    await cache.delete(KEY)
    assert await asking == ("value", "computed")
    assert await cache.get(KEY) is None
    assert redis.client.exists(f"test:{KEY}") == 0
