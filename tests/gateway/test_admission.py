"""Three slots or none: full, gone and dying stages before `started`, and replicas chosen."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import grpc
import pytest

from tests.gateway.cluster import MODULES, Cluster, animate, config, running_cluster, speech, tone


async def _open_call(cluster: Cluster) -> object:
    call = cluster.stub.Animate()
    await call.write(config())
    response = await call.read()
    assert response.started.call_id
    return call


@pytest.mark.parametrize("module", MODULES)
async def test_a_full_stage_refuses_at_once_and_no_slot_is_kept(
    tmp_path: Path, module: str
) -> None:
    async with running_cluster(tmp_path) as cluster:
        stage = cluster.stages[module][0]
        with stage.slots.take(), stage.slots.take(), stage.slots.take(), stage.slots.take():
            await cluster.poll()
            began = time.monotonic()
            answer = await animate(cluster, [config(), *speech(tone(0.1))])
            took = time.monotonic() - began
            assert answer.error is not None
            assert answer.error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert int(answer.trailers["retry-after-ms"]) > 0
            assert module in answer.error.details()
            assert took < 0.1
            live = {m: cluster.stages[m][0].slots.live for m in MODULES}
            assert live == {m: 4 if m == module else 0 for m in MODULES}
            assert not cluster.stages["renderer"][0].prepared
        assert (await animate(cluster, [config(), *speech(tone(0.1))])).error is None


@pytest.mark.parametrize("module", MODULES)
async def test_a_stage_that_fills_up_unseen_leaves_the_others_free(
    tmp_path: Path, module: str
) -> None:
    async with running_cluster(tmp_path, slots=1, poll_seconds=60) as cluster:
        stage = cluster.stages[module][0]
        with stage.slots.take():
            answer = await animate(cluster, [config(), *speech(tone(0.1))])
            assert answer.error is not None
            assert answer.error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert answer.trailers["retry-after-ms"] == "1000"
        assert await cluster.all_slots_free()
        assert (await animate(cluster, [config(), *speech(tone(0.1))])).error is None


async def test_a_slot_is_free_again_when_the_call_has_ended(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, slots=1, poll_seconds=60) as cluster:
        for _ in range(5):
            answer = await animate(cluster, [config(), *speech(tone(0.1))])
            assert answer.error is None


@pytest.mark.parametrize("module", MODULES)
async def test_a_stage_that_is_gone(tmp_path: Path, module: str) -> None:
    async with running_cluster(tmp_path) as cluster:
        await cluster.stages[module][0].server.stop(None)
        answer = await animate(cluster, [config(), *speech(tone(0.1))])
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.UNAVAILABLE
        assert module in answer.error.details()
        assert await cluster.all_slots_free()


@pytest.mark.parametrize("module", MODULES)
async def test_a_replica_that_died_unseen_is_passed_over(tmp_path: Path, module: str) -> None:
    async with running_cluster(tmp_path, {module: 2}, poll_seconds=60) as cluster:
        first, second = cluster.stages[module]
        await first.server.stop(None)
        answer = await animate(cluster, [config(), *speech(tone(0.1))])
        assert answer.error is None
        replicas = {stats.module: list(stats.replicas) for stats in answer.stats.modules}
        assert replicas[module] == [second.identity.replica]


@pytest.mark.parametrize("module", MODULES)
async def test_a_replica_that_does_not_accept_in_time_is_passed_over(
    tmp_path: Path, module: str
) -> None:
    limits = {"accept_seconds": 0.2, "prepare_seconds": 0.2, "poll_seconds": 60}
    async with running_cluster(tmp_path, {module: 2}, **limits) as cluster:
        first, second = cluster.stages[module]
        first.faults.accept_delay_s = 30
        answer = await animate(cluster, [config(), *speech(tone(0.1))])
        assert answer.error is None
        replicas = {stats.module: list(stats.replicas) for stats in answer.stats.modules}
        assert replicas[module] == [second.identity.replica]
        assert await cluster.all_slots_free()


async def test_calls_go_where_most_slots_are_free(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, dict.fromkeys(MODULES, 2), poll_seconds=60) as cluster:
        calls = [await _open_call(cluster) for _ in range(8)]
        live = {m: [stage.slots.live for stage in cluster.stages[m]] for m in MODULES}
        assert live == {m: [4, 4] for m in MODULES}
        for call in calls:
            call.cancel()  # type: ignore[attr-defined]
        assert await cluster.all_slots_free()


async def test_many_calls_at_once_are_served_or_refused_and_nothing_leaks(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, slots=3) as cluster:
        requests = [config(), *speech(tone(1.0))]
        answers = await asyncio.gather(*(animate(cluster, iter(requests)) for _ in range(30)))
        errors = [answer.error for answer in answers if answer.error]
        assert {e.code() for e in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert sum(len(answer.frames) == 25 for answer in answers) == 30 - len(errors) >= 3
        assert await cluster.all_slots_free()


async def test_a_cancelled_opening_keeps_no_slot(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.accept_delay_s = 5
    call = cluster.stub.Animate()
    await call.write(config())
    await asyncio.sleep(0.2)
    assert cluster.stages["audio_encoder"][0].slots.live == 1
    call.cancel()
    assert await cluster.all_slots_free()
