"""The local tier's bound."""

from __future__ import annotations

from prometheus_client import REGISTRY

from ditto.serving.lru import ByteBoundedLru


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
