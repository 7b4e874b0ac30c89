"""Moved sessions need slots: those kept for them, those that come free in time, or none at all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway.cluster import Answer, Cluster, animate, config, running_cluster, speech
from tests.gateway.failing import (
    FRAMES,
    PAIR,
    QUICK,
    check_frames,
    disturbed_call,
    failovers,
    pair,
    ramp,
    serving,
    strike,
)
from tests.gateway.fake_stage import FakeStage
from tests.until import until


async def test_moved_sessions_have_slots_of_their_own(tmp_path: Path) -> None:
    async with pair(tmp_path, slots=1) as cluster:
        calls = [cluster.stub.Animate(timeout=30) for _ in range(2)]
        for call in calls:
            await call.write(config())
            await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await cluster.stub.Animate(iter([config()]), timeout=5).read()
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        strike(cluster, "renderer", "reset")
        for call in calls:
            for request in speech(ramp(20)):
                await call.write(request)
            await call.done_writing()
            answer = Answer()
            while (response := await call.read()) is not grpc.aio.EOF:
                answer.take(response)
            assert [frame.index for frame in answer.frames] == list(range(20))


async def _other_renderer_taken(cluster: Cluster) -> tuple[Any, FakeStage]:
    """A call that holds one renderer's only slot, and the other one, which dies in the next."""
    for stage in cluster.stages["renderer"]:
        stage.slots._reserved = 0
    other = cluster.stub.Animate(timeout=30)
    await other.write(config())
    await other.read()
    taken = serving(cluster, "renderer")
    free = next(stage for stage in cluster.stages["renderer"] if stage is not taken)
    free.faults.die_at_frame = 10
    return other, free


async def test_without_room_the_call_ends_and_says_why(tmp_path: Path) -> None:
    async with pair(tmp_path, slots=1, failover_seconds=1.0) as cluster:
        other, _ = await _other_renderer_taken(cluster)
        answer = await animate(cluster, [config(), *speech(ramp(30))])
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.UNAVAILABLE
        details = answer.error.details()
        assert "no replica took its session over within 1 s" in details
        assert "slots are taken" in details
        other.cancel()


async def test_room_that_comes_in_time_is_taken(tmp_path: Path) -> None:
    async with pair(tmp_path, slots=1) as cluster:
        other, free = await _other_renderer_taken(cluster)

        known = cluster.gateway._pools.renderer._replicas

        async def make_room() -> None:
            await until(lambda: not known[free.address].is_healthy)
            await asyncio.sleep(0.4)
            other.cancel()

        making_room = asyncio.create_task(make_room())
        answer = await animate(cluster, [config(), *speech(ramp(30))])
        await making_room
        check_frames(answer, 30)
        assert failovers(answer)[0].gap_ms > 300


async def test_a_draining_replica_serves_on_while_there_is_no_other(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, **QUICK) as cluster:
        answer = await disturbed_call(
            cluster, FRAMES, 20, lambda: strike(cluster, "motion_dit", "drain")
        )
        check_frames(answer, FRAMES)
        assert not failovers(answer)


async def test_speech_that_kills_replicas_does_not_kill_them_all(tmp_path: Path) -> None:
    async with pair(tmp_path, replicas={**PAIR, "motion_dit": 6}) as cluster:
        for stage in cluster.stages["motion_dit"]:
            stage.faults.die_at_frame = 10
        answer = await animate(cluster, [config(), *speech(ramp(30))])
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.UNAVAILABLE
        assert "so did those that took its session over" in answer.error.details()
        alive = [s for s in cluster.stages["motion_dit"] if s.faults.die_at_frame is not None]
        assert len(alive) == 2
