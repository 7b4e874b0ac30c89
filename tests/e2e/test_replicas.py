"""Two renderers share the calls and the cache; without Redis each goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ditto.local_cluster import ClusterPlan, LocalCluster
from tests.e2e import portraits, speech
from tests.e2e.calling import Answer, animate, config, speak

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair() -> Iterator[LocalCluster]:
    plan = ClusterPlan(replicas={"renderer": 2})
    with LocalCluster(plan) as running:
        yield running


def call(cluster: LocalCluster, portrait: bytes, end_s: float = 2) -> Answer:
    return animate(cluster.address, speak(config(portrait=portrait), speech.part(1, end_s)))


def renderers(answer: Answer) -> set[str]:
    modules = [module for module in answer.stats.modules if module.module == "renderer"]
    return {replica for module in modules for replica in module.replicas}


def portrait(width: int) -> bytes:
    return portraits.encoded(portraits.astronaut().resize((width, 450)), "JPEG", quality=94)


def test_calls_spread_over_the_replicas(pair: LocalCluster) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: call(pair, portrait(380), 4), range(4)))
    assert set.union(*map(renderers, answers)) == {"renderer-0", "renderer-1"}
    assert len({tuple(answer.hashes) for answer in answers}) == 1


def test_a_replica_finds_what_the_other_prepared(pair: LocalCluster) -> None:
    shared = portrait(376)
    with ThreadPoolExecutor(4) as threads:
        answers = [call(pair, shared)]
        answers += threads.map(lambda _: call(pair, shared, 4), range(4))
    sources = {next(iter(renderers(answer))): answer.stats.avatar_source for answer in answers[1:]}
    assert answers[0].stats.avatar_source == "computed"
    assert "computed" not in sources.values()


def test_calls_go_on_when_redis_is_killed(pair: LocalCluster) -> None:
    shared = portrait(372)
    expected = call(pair, shared, 5).hashes
    assert pair.redis is not None
    with ThreadPoolExecutor() as threads:
        running = threads.submit(call, pair, shared, 5)
        time.sleep(0.5)
        pair.redis.kill()
        pair.redis.wait(5)
        assert running.result().hashes == expected
    assert call(pair, shared, 5).hashes == expected
    assert call(pair, portrait(368)).stats.avatar_source == "computed"
