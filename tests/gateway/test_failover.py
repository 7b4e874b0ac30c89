"""A stage replica is lost in mid-call: the caller gets every frame, once and in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from ditto.motion.layout import MOTION_DIM
from ditto.serving import metrics
from ditto.serving.frames import block_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import (
    MODULES,
    Answer,
    Cluster,
    animate,
    config,
    running_cluster,
    speech,
    tone,
    video,
)
from tests.gateway.failing import (
    check_frames,
    disturbed_call,
    eventually,
    failovers,
    pictures,
    ramp,
    serving,
    share_faults,
)
from tests.gateway.fake_stages import loudness, start_stage

QUICK = {
    "poll_seconds": 0.1,
    "poll_timeout_seconds": 5.0,
    "hang_seconds": 0.4,
    "failover_seconds": 8.0,
}
"""Faults are noticed soon, but not on a machine that has much else to do where there are none."""
SILENT = {"poll_timeout_seconds": 0.3, "missed_polls": 3, "hang_seconds": 30.0}
"""Only the polls tell."""
PAIR = dict.fromkeys(MODULES, 2)
FRAMES = 50


def pair(tmp_path: Path, **settings: Any) -> Any:
    """Two replicas of every stage."""
    return running_cluster(tmp_path, **{"replicas": PAIR, **QUICK, **settings})


def strike(cluster: Cluster, module: str, reason: str) -> None:
    """Make the replica that serves go the way that a reason stands for."""
    stage = serving(cluster, module)
    if reason == "reset":
        asyncio.get_running_loop().create_task(stage.server.stop(None))
    elif reason == "hang":
        stage.faults.hang_at_frame = 0
    elif reason == "polls":
        stage.is_stopped = True
    elif reason == "drain":
        stage.slots.draining = True
    else:
        status = health_pb2.HealthCheckResponse.NOT_SERVING
        asyncio.get_running_loop().create_task(stage.health.set("", status))


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
            await eventually(lambda: reason == "hang" or not left.slots.live)

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


async def test_a_gap_covers_the_time_until_a_hang_is_noticed(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        answer = await disturbed_call(
            cluster, FRAMES, 20, lambda: strike(cluster, "renderer", "hang")
        )
        (event,) = failovers(answer)
        assert 200 < event.gap_ms < 2000


async def test_a_stage_that_has_nothing_to_do_does_not_hang(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        answer = await disturbed_call(cluster, FRAMES, 20, lambda: asyncio.sleep(1.0))
        check_frames(answer, FRAMES)
        assert not failovers(answer)


async def test_a_caller_who_does_not_read_makes_no_stage_hang(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        call = cluster.stub.Animate(timeout=30)
        requests = [config(video_format=video("RGB24")), *speech(ramp(FRAMES))]
        for request in requests:
            await call.write(request)
        await call.done_writing()
        await asyncio.sleep(1.0)
        answer = Answer()
        while (response := await call.read()) is not grpc.aio.EOF:
            answer.take(response)
        assert len(answer.frames) == FRAMES
        assert not failovers(answer)


@pytest.mark.parametrize("module", MODULES)
async def test_an_mp4_file_stays_playable(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path) as cluster:
        asked = {"video_format": video("H264_FMP4")}
        calm = await animate(cluster, [config(**asked), *speech(ramp(FRAMES))])
        answer = await disturbed_call(
            cluster, FRAMES, 20, lambda: strike(cluster, module, "reset"), **asked
        )
        assert answer.error is None
        assert len(failovers(answer)) == 1
        assert pictures(answer) == pytest.approx(pictures(calm), abs=1.5)
        assert len(pictures(answer)) == FRAMES


@pytest.mark.parametrize("module", MODULES)
async def test_controls_hold_across_a_move(tmp_path: Path, module: str) -> None:
    async with pair(tmp_path) as cluster:

        async def requests() -> Any:
            control = pb.AnimateRequest(control=types.MotionControl(mouth_gain=0.5))
            for request in [config(), control, *speech(ramp(FRAMES))]:
                yield request

        share_faults(cluster, module).die_at_frame = 30
        answer = await animate(cluster, requests())
        check_frames(answer, FRAMES, gain=0.5)
        assert len(failovers(answer)) == 1


def interrupted(answer: Answer) -> bool:
    return any(event.kind == pb.EVENT_KIND_INTERRUPTED for event in answer.events)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("lost_before", [True, False])
async def test_interrupts_before_and_after_a_loss(
    tmp_path: Path, module: str, lost_before: bool
) -> None:
    async with pair(tmp_path) as cluster:
        faults = share_faults(cluster, module)
        if lost_before:
            faults.die_at_frame = 10

        async def interrupting(answer: Answer) -> Any:
            for request in [config(), *speech(ramp(40))]:
                yield request
            await eventually(lambda: len(answer.frames) >= 30)
            yield pb.AnimateRequest(interrupt=pb.Interrupt())
            await eventually(lambda: interrupted(answer))
            if not lost_before:  # before the new sessions have given a checkpoint
                faults.die_at_frame = 0
            for request in speech(tone(1.0, 3000)):
                yield request

        answer = Answer()
        await animate(cluster, interrupting(answer), answer)
        assert answer.error is None
        assert [frame.index for frame in answer.frames] == list(range(len(answer.frames)))
        assert len(failovers(answer)) == 1
        assert await cluster.all_slots_free()


async def test_motion_that_drives_stays_relative_to_its_first_frame(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        share_faults(cluster, "motion_dit").die_at_frame = 20
        answer = await animate(cluster, [config(driving=types.DRIVING_MOTION), *_driving(FRAMES)])
        assert answer.error is None
        assert len(failovers(answer)) == 1
        check_driven(answer)


def _driving(frames: int) -> list[pb.AnimateRequest]:
    rows = np.zeros((frames, MOTION_DIM), "<f4")
    rows[:, 0] = 5 + np.arange(frames)
    return [
        pb.AnimateRequest(motion=block_of(at, rows[at : at + 10])) for at in range(0, frames, 10)
    ]


def check_driven(answer: Answer) -> None:
    assert [loudness(frame.data) for frame in answer.frames] == list(range(FRAMES))


@pytest.mark.parametrize("module", MODULES)
async def test_an_upgraded_replica_begins_anew(tmp_path: Path, module: str) -> None:
    """It cannot read the checkpoint, or knows the portrait by another key."""
    async with running_cluster(tmp_path, **QUICK) as cluster:
        new = await start_stage(module, 9, pack_hash="upgraded")
        cluster.stages[module].append(new)
        pool = getattr(cluster.gateway._pools, module)
        control = pb.AnimateRequest(control=types.MotionControl(mouth_gain=0.5))
        answer = Answer()

        async def upgrading() -> Any:
            for request in [config(), control, *speech(ramp(150))]:
                yield request
            await eventually(lambda: len(answer.frames) >= 120)
            pool._targets = (*pool._targets, new.address)
            await cluster.poll()
            strike(cluster, module, "drain")
            await eventually(lambda: failovers(answer) or new.slots.live)
            for request in speech(ramp(30, first=150)):
                yield request

        await animate(cluster, upgrading(), answer)
        check_frames(answer, 180, gain=0.5)
        (event,) = failovers(answer)
        assert "began anew" in event.detail
        assert new.configs[0].moved
        if module == "audio_encoder":  # it heard the last seconds again, not the whole call
            heard = sum(len(request.audio) for request in new.requests)
            assert heard < 2 * 16_000 * (3 + 1 + 10 + 1.5)


async def test_a_replay_is_short(tmp_path: Path) -> None:
    """What a replacement is sent again does not grow with the call."""
    async with pair(tmp_path) as cluster:
        answer = await disturbed_call(
            cluster, 200, 180, lambda: strike(cluster, "audio_encoder", "reset")
        )
        check_frames(answer, 200)
        new = serving_second(cluster, "audio_encoder")
        heard = sum(len(request.audio) for request in new.requests) // 2
        assert heard <= (200 - 180 + 20 + 5) * 640


def serving_second(cluster: Cluster, module: str) -> Any:
    return next(s for s in cluster.stages[module] if s.configs and s.configs[0].moved)


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


async def test_without_room_the_call_ends_and_says_why(tmp_path: Path) -> None:
    async with pair(tmp_path, slots=1, failover_seconds=1.0) as cluster:
        for stage in cluster.stages["renderer"]:
            stage.slots._reserved = 0
        other = cluster.stub.Animate(timeout=30)
        await other.write(config())
        await other.read()
        taken = serving(cluster, "renderer")
        free = next(stage for stage in cluster.stages["renderer"] if stage is not taken)
        free.faults.die_at_frame = 10
        answer = await animate(cluster, [config(), *speech(ramp(30))])
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.UNAVAILABLE
        details = answer.error.details()
        assert "no replica took its session over within 1 s" in details
        assert "slots are taken" in details
        other.cancel()


async def test_room_that_comes_in_time_is_taken(tmp_path: Path) -> None:
    async with pair(tmp_path, slots=1) as cluster:
        for stage in cluster.stages["renderer"]:
            stage.slots._reserved = 0
        other = cluster.stub.Animate(timeout=30)
        await other.write(config())
        await other.read()
        taken = serving(cluster, "renderer")
        free = next(stage for stage in cluster.stages["renderer"] if stage is not taken)
        free.faults.die_at_frame = 10

        known = cluster.gateway._pools.renderer._replicas

        async def make_room() -> None:
            await eventually(lambda: not known[free.address].is_healthy)
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


async def test_four_calls_at_once(tmp_path: Path) -> None:
    async with pair(tmp_path) as cluster:
        share_faults(cluster, "motion_dit").die_at_frame = 30
        requests = [config(), *speech(ramp(FRAMES))]
        answers = await asyncio.gather(*(animate(cluster, requests) for _ in range(4)))
        for answer in answers:
            check_frames(answer, FRAMES)
        assert any(failovers(answer) for answer in answers)
