"""Clients that misbehave beside an honest call: it gets what it gets alone, and nothing is left.

The costly misbehaviours, and their figures, are in tests/bench/test_soak.py.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.attack import Attack
from bench.misbehave import footprints, target_of
from bench.wire_attacks import connection_is_reset, garbage_to_stages, huge_metadata, random_bytes
from ditto.local_cluster import LocalCluster
from tests.e2e import speech
from tests.e2e.calling import Answer, animate, config, speak

EXPECTED = {
    huge_metadata: "2x RESOURCE_EXHAUSTED",
    random_bytes: "200x closed",
    garbage_to_stages: "100x INVALID_ARGUMENT",
    connection_is_reset: "gone",
}
LEFT_FILES = 6
"""Connections of earlier tests come and go."""


def _honest(cluster: LocalCluster) -> Answer:
    return animate(cluster.address, speak(config(), speech.part(1.0, 2.0)))


@pytest.mark.parametrize(
    "attack",
    [
        connection_is_reset,
        garbage_to_stages,
        pytest.param(huge_metadata, marks=pytest.mark.slow),
        pytest.param(random_bytes, marks=pytest.mark.slow),
    ],
    ids=lambda attack: attack.__name__,
)
def test_an_honest_call_beside(cluster: LocalCluster, attack: Attack) -> None:
    alone = _honest(cluster)
    before = footprints(cluster)
    with ThreadPoolExecutor(1) as attacker:
        attacking = attacker.submit(lambda: asyncio.run(_attack(attack, cluster)))
        beside = _honest(cluster)
        outcome = attacking.result()
    assert EXPECTED[attack] in outcome
    assert beside.hashes == alone.hashes
    assert len(beside.frames) == 25
    assert _settles(cluster, {name: each.open_files for name, each in before.items()})


async def _attack(attack: Attack, cluster: LocalCluster) -> str:
    return await attack(target_of(cluster))


def _settles(cluster: LocalCluster, open_files: dict[str, int]) -> bool:
    """Every process has closed what the attack opened."""
    for _ in range(100):
        now = footprints(cluster)
        if all(now[name].open_files <= most + LEFT_FILES for name, most in open_files.items()):
            return True
        time.sleep(0.05)
    return False
