"""Large values in a real Redis: in parts, whole or not at all."""

from __future__ import annotations

import os

import pytest

from ditto.errors import StageUnavailableError
from ditto.serving.redis_parts import PART_BYTES, PartedTier
from tests.redis_process import RedisProcess

LARGE = os.urandom(2 * PART_BYTES + 5)


@pytest.fixture
def tier(redis: RedisProcess) -> PartedTier:
    return PartedTier(redis.url, ttl_s=60)


async def test_large_and_small_values_come_back_as_they_were(tier: PartedTier) -> None:
    for key, payload in (("large", LARGE), ("small", b"abc"), ("edge", LARGE[:PART_BYTES])):
        await tier.put(key, payload)
        assert await tier.get(key) == payload
    assert [int(await tier._redis.strlen(f"large/{n}")) > 0 for n in range(4)] == [
        True, True, True, False,
    ]  # fmt: skip
    assert all([0 < await tier._redis.ttl(f"large/{n}") <= 60 for n in range(3)])
    await tier.close()


async def test_a_missing_or_damaged_part_is_a_miss(tier: PartedTier) -> None:
    for spoil in (b"", b"not what was stored"):
        await tier.put("large", LARGE)
        await tier._redis.set("large/1", spoil) if spoil else await tier._redis.delete("large/1")
        assert await tier.get("large") is None
    await tier.close()


async def test_deleting_takes_the_parts_along(tier: PartedTier) -> None:
    await tier.put("large", LARGE)
    await tier.delete("large")
    assert await tier.get("large") is None
    assert not await tier._redis.keys("large*")
    await tier.close()


async def test_parts_that_cannot_be_deleted_are_not_left_behind_unsaid(
    redis: RedisProcess, tier: PartedTier
) -> None:
    await tier.put("large", LARGE)
    redis.kill()
    with pytest.raises(StageUnavailableError):
        await tier.delete("large")
    redis.start()
    await tier.close()
