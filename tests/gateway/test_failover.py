"""A stage replica is lost in mid-call: the caller gets every frame, once and in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ditto.serving import metrics
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import MODULES, animate, config, speech
from tests.gateway.failing import (
    FRAMES,
    PAIR,
    SILENT,
    check_frames,
    disturbed_call,
    failovers,
    pair,
    ramp,
    serving,
    share_faults,
    strike,
)
from tests.until import until


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("reason", ["reset", "hang", "polls", "not_serving", "drain"])
async def test_no_frame_is_lost(tmp_path: Path, module: str, reason: str) -> None:
    settings = SILENT if reason == "polls" else {}
    counted = metrics.FAILOVERS.labels(module, reason)
    before = counted._value.get()
    async with pair(tmp_path, **settings) as cluster:

        async def disturb() -> None:
            left = serving(cluster, module)
            strike(cluster, module, reason)
            await until(lambda: reason == "hang" or not left.slots.live)

        answer = await disturbed_call(cluster, FRAMES, 20, disturb)
        check_frames(answer, FRAMES)
        (event,) = failovers(answer)
        assert event.detail.startswith(f"{module}: {reason}; {module}-")
        assert 20 <= event.frame_index < FRAMES
        assert event.gap_ms == pytest.approx(answer.stats.failover_gap_ms)
        assert answer.stats.failovers == 1
        assert answer.trailers["ditto-failovers"] == "1"
        assert counted._value.get() == before + 1
        served = {each.module: len(each.replicas) for each in answer.stats.modules}
        assert served == {name: 1 + (name == module) for name in MODULES}
        opened = {name: sum(len(s.configs) for s in cluster.stages[name]) for name in MODULES}
        assert opened == served  # the other stages noticed nothing
        assert await cluster.all_slots_free()


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("frame", [0, 25, FRAMES - 5])
async def test_at_any_frame_of_a_fast_call(tmp_path: Path, module: str, frame: int) -> None:
    async with pair(tmp_path) as cluster:
        share_faults(cluster, module).die_at_frame = frame
        answer = await animate(cluster, [config(), *speech(ramp(FRAMES))])
        check_frames(answer, FRAMES)
        assert len(failovers(answer)) == 1
        assert await cluster.all_slots_free()


@pytest.mark.parametrize("module", MODULES)
async def test_in_real_time(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path) as cluster:
        answer = await disturbed_call(
            cluster,
            FRAMES,
            20,
            lambda: strike(cluster, module, "reset"),
            pacing=types.PACING_REALTIME,
        )
        check_frames(answer, FRAMES)
        assert len(failovers(answer)) == 1


@pytest.mark.parametrize("module", MODULES)
async def test_twice_in_one_call(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path, replicas={**PAIR, module: 3}) as cluster:
        faults = share_faults(cluster, module)
        faults.die_at_frame = 10
        answer = await disturbed_call(
            cluster, FRAMES, 25, lambda: setattr(faults, "die_at_frame", 30)
        )
        check_frames(answer, FRAMES)
        assert [event.detail.split(":")[0] for event in failovers(answer)] == [module, module]
        assert answer.stats.failovers == 2


async def test_all_three_at_once(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:

        def strike_all() -> None:
            for module in MODULES:
                strike(cluster, module, "reset")

        answer = await disturbed_call(cluster, FRAMES, 20, strike_all)
        check_frames(answer, FRAMES)
        assert len(failovers(answer)) == 3


async def test_four_calls_at_once(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        share_faults(cluster, "motion_dit").die_at_frame = 30
        requests = [config(), *speech(ramp(FRAMES))]
        answers = await asyncio.gather(*(animate(cluster, requests) for _ in range(4)))
        for answer in answers:
            check_frames(answer, FRAMES)
        assert any(failovers(answer) for answer in answers)
