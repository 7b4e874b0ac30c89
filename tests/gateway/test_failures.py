"""What goes wrong in the middle of a call ends it clearly and frees everything."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from ditto.errors import InvalidInputError
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import MODULES, Cluster, animate, config, running_cluster, speech, tone


async def _read_all(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


@pytest.mark.parametrize("module", MODULES)
async def test_the_only_replica_of_a_stage_dies(tmp_path: Path, module: str) -> None:
    async with running_cluster(tmp_path, failover_seconds=0.3) as cluster:
        await _the_only_replica_dies(cluster, module)


async def _the_only_replica_dies(cluster: Cluster, module: str) -> None:
    cluster.stages[module][0].faults.die_at_frame = 10
    answer = await animate(cluster, [config(), *speech(tone(2.0))])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.UNAVAILABLE
    assert module in answer.error.details()
    assert "no replica took its session over within 0.3 s" in answer.error.details()
    assert [frame.index for frame in answer.frames] == list(range(len(answer.frames)))
    assert len(answer.frames) <= int(answer.trailers["ditto-frames"]) <= 10
    others = [s for m in MODULES if m != module for s in cluster.stages[m]]
    await asyncio.sleep(0.05)
    assert not any(stage.slots.live for stage in others)


@pytest.mark.parametrize("module", MODULES)
async def test_a_stage_that_stops_answering_altogether(tmp_path: Path, module: str) -> None:
    settings = {
        "poll_seconds": 0.1,
        "poll_timeout_seconds": 0.3,
        "missed_polls": 2,
        "failover_seconds": 0.3,
    }
    async with running_cluster(tmp_path, **settings) as cluster:
        requests = [config(pacing=types.PACING_REALTIME), *speech(tone(4.0))]
        call = cluster.stub.Animate(iter(requests), timeout=10)
        for _ in range(6):
            await call.read()
        cluster.stages[module][0].faults.is_stopped = True
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await _read_all(call)
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "stopped answering" in failure.value.details()


async def test_the_error_of_a_stage_reaches_the_caller(cluster: Cluster) -> None:
    error = InvalidInputError("control.from_frame", "too many wait")
    cluster.stages["motion_dit"][0].faults.raise_at_frame = (5, error)
    answer = await animate(cluster, [config(), *speech(tone(1.0))])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert answer.error.details() == "control.from_frame: too many wait"
    assert await cluster.all_slots_free()


async def test_a_stage_that_breaks_inside_gives_no_details_away(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.raise_at_frame = (3, ZeroDivisionError("secret"))
    answer = await animate(cluster, [config(), *speech(tone(1.0))])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in answer.error.details()
    assert await cluster.all_slots_free()


async def test_a_frame_that_is_missing_is_noticed(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.skip_frame = 7
    answer = await animate(cluster, [config(), *speech(tone(1.0))])
    assert answer.error is not None
    assert answer.error.code() is grpc.StatusCode.INTERNAL
    assert "gave frame 8 where 7 was expected" in answer.error.details()
    assert len(answer.frames) == 7


@pytest.mark.parametrize("pacing", [types.PACING_FAST, types.PACING_REALTIME])
async def test_a_caller_who_vanishes_frees_every_slot(
    cluster: Cluster, pacing: types.Pacing
) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.01
    call = cluster.stub.Animate()
    for request in [config(pacing=pacing), *speech(tone(5.0))]:
        await call.write(request)
    async for response in call:
        if response.WhichOneof("response") == "frame":
            break
    began = time.monotonic()
    call.cancel()
    assert await cluster.all_slots_free()
    assert time.monotonic() - began < 0.2


async def test_a_deadline_frees_every_slot(cluster: Cluster) -> None:
    cluster.stages["motion_dit"][0].faults.hang_at_frame = 0
    call = cluster.stub.Animate(iter([config(), *speech(tone(1.0))]), timeout=0.4)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await _read_all(call)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await cluster.all_slots_free()


async def test_twenty_broken_calls_leave_no_task_behind(cluster: Cluster) -> None:
    await animate(cluster, [config(), *speech(tone(0.1))])
    before = len(asyncio.all_tasks())
    for at in range(20):
        call = cluster.stub.Animate()
        for request in [config(), *speech(tone(1.0))]:
            await call.write(request)
        for _ in range(at):
            await call.read()
        call.cancel()
    assert await cluster.all_slots_free()
    await asyncio.sleep(0.1)
    assert len(asyncio.all_tasks()) <= before + 2
