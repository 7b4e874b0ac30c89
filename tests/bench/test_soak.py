"""The soak and the misbehaviours: their arithmetic, and a short run of each through a cluster."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import numpy as np
import pytest

from bench.bystander import bystander
from bench.footprint import Footprint, footprint
from bench.growth import trend_of
from bench.misbehave import ATTACKS, SHORT_LIMITS, run_all
from bench.soak import Soaked, soak
from bench.soak_calls import Tally
from ditto.local_cluster import ClusterPlan, LocalCluster

STEADY = Footprint(memory_bytes=100 << 20, threads=9, open_files=20)
SECONDS = np.arange(0.0, 300.0)


def _soaked(growth_mib_a_minute: float, tally: Tally, after: Footprint = STEADY) -> Soaked:
    chance = np.random.default_rng(3)
    sizes = 100 + growth_mib_a_minute * SECONDS / 60 + chance.normal(0, 3, len(SECONDS))
    samples = [{"gateway": Footprint(int(size * 2**20), 9, 20)} for size in sizes]
    return Soaked(tally, {"gateway": STEADY}, {"gateway": after}, list(SECONDS), samples)


def test_noise_is_no_growth_and_growth_is_found_in_noise() -> None:
    assert _soaked(0.0, Tally()).faults() == []
    assert _soaked(6.0, Tally()).faults() == ["gateway: memory grows"]
    assert _soaked(0.5, Tally()).faults() == []  # 2 MiB in all


def test_a_slope_is_given_with_its_noise() -> None:
    chance = np.random.default_rng(4)
    trend = trend_of(SECONDS, 5 + SECONDS / 60 * 2 + chance.normal(0, 1, len(SECONDS)))
    assert abs(trend.slope - 2) <= trend.noise < 0.5
    assert trend.minutes == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("tally", "after", "word"),
    [
        (Tally(lost_frames=1), STEADY, "1 frames were lost"),
        (Tally(wrong=["fast_jpeg: INTERNAL"]), STEADY, "INTERNAL"),
        (Tally(), Footprint(100 << 20, 30, 20), "21 threads"),
        (Tally(), Footprint(100 << 20, 9, 40), "20 files"),
    ],
)
def test_whatever_is_wrong_is_a_fault(tally: Tally, after: Footprint, word: str) -> None:
    (fault,) = _soaked(0.0, tally, after).faults()
    assert word in fault


def test_a_footprint_is_what_the_system_says(tmp_path: Path) -> None:
    before = footprint(os.getpid())
    held = bytearray(b"x" * (50 << 20))
    with (tmp_path / "file").open("w"):
        now = footprint(os.getpid())
    assert now.open_files == before.open_files + 1
    assert now.threads >= 1
    assert now.memory_bytes - before.memory_bytes > 0.9 * len(held)


@pytest.mark.slow
def test_a_short_soak() -> None:
    settings = {stage: ["slots=4"] for stage in ("audio_encoder", "motion_dit", "renderer")}
    settings["gateway"] = ["admission_load=1000", "reader_lag_seconds=10"]
    with LocalCluster(ClusterPlan(settings=settings)) as cluster:
        soaked = asyncio.run(soak(cluster, seconds=40, callers=2, seed=1))
    assert soaked.faults(allowed_mib=64) == []
    assert soaked.tally.frames > 100
    assert sum(soaked.tally.calls.values()) >= 5


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_misbehaviour_leaves_the_cluster_as_it_was() -> None:
    plan = ClusterPlan(settings=SHORT_LIMITS)
    with LocalCluster(plan) as cluster, bystander(cluster.address) as honest:
        found = {each.name: each for each in asyncio.run(run_all(cluster, honest, ATTACKS))}
        assert all(child.exit_code is None for child in cluster.children())
    whole = found.pop("all of them")
    assert whole.left_mib < 96
    assert whole.left_files <= 4
    assert whole.left_threads <= 8
    served = [call for call in whole.honest if call.status == "OK"]
    others = [call for call in whole.honest if "RESOURCE_EXHAUSTED" not in call.status]
    assert served
    assert all(call.status == "OK" for call in others)
    assert sum(call.lost_frames for call in served) == 0
    for name, outcome in _OUTCOMES.items():
        assert outcome in found[name].outcome, found[name]


_OUTCOMES = {
    "never sends": "x FAILED_PRECONDITION",
    "sends for ever": "RESOURCE_EXHAUSTED",
    "a minute at once": "100 frames in order",
    "reads a frame a second": "nothing was read",
    "two hundred calls": "RESOURCE_EXHAUSTED",
    "a gigabyte": "INVALID_ARGUMENT",
    "tiny messages": "OK, 32 frames",
    "controls without end": "OK",
    "bad calls": "all 25 refused",
    "huge metadata": "2x RESOURCE_EXHAUSTED",
    "random bytes": "200x closed",
    "half open": "300x closed",
    "garbage to stages": "100x INVALID_ARGUMENT",
}
