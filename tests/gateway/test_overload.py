"""Admission by measured headroom, and quality that is lowered in announced steps before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Answer, Cluster, animate, config, running_cluster, speech, tone
from tests.gateway.cluster import video as video_format
from tests.gateway.fake_stage import FakeStage

REALTIME = types.PACING_REALTIME
DEGRADED, RECOVERED = pb.EVENT_KIND_DEGRADED, pb.EVENT_KIND_RECOVERED


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with running_cluster(tmp_path, poll_seconds=0.05) as running:
        yield running


def set_session_load(stage: FakeStage, load: float) -> None:
    """From now on the stage measures this share of its time for each session."""
    meter = stage.slots.load
    meter._steps.clear()
    meter._compute_s = meter._video_s = 0.0
    meter.add(load, 1.0)


async def _live(call: grpc.aio.StreamStreamCall, **fields: object) -> None:
    await call.write(config(pacing=REALTIME, **fields))
    assert (await call.read()).WhichOneof("response") == "started"


async def _events_until(call: grpc.aio.StreamStreamCall, kind: int) -> list[pb.Event]:
    events: list[pb.Event] = []
    async with asyncio.timeout(10):
        while not events or events[-1].kind != kind:
            response = await call.read()
            if response.WhichOneof("response") == "event":
                events.append(response.event)
    return events


@pytest.mark.parametrize("module", ["audio_encoder", "motion_dit", "renderer"])
async def test_a_call_that_would_be_late_is_refused_at_once(busy: Cluster, module: str) -> None:
    set_session_load(busy.stages[module][0], 0.5)
    call = busy.stub.Animate()
    await _live(call)
    await busy.poll()
    began = time.monotonic()
    refused = await animate(busy, [config(pacing=REALTIME)])
    took_s = time.monotonic() - began
    assert refused.error is not None
    assert refused.error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert module in (refused.error.details() or "")
    assert int(refused.trailers["retry-after-ms"]) > 0
    assert took_s < 0.1
    at_leisure = await animate(busy, [config(), *speech(tone(0.4))])
    assert at_leisure.error is None
    call.cancel()


async def test_a_lone_call_is_never_refused(busy: Cluster) -> None:
    set_session_load(busy.stages["renderer"][0], 1.4)
    answer = await animate(busy, [config(pacing=REALTIME), *speech(tone(0.2))])
    assert answer.error is None


async def test_room_comes_back_when_calls_end(busy: Cluster) -> None:
    set_session_load(busy.stages["renderer"][0], 0.5)
    for _ in range(3):
        answer = await animate(busy, [config(pacing=REALTIME), *speech(tone(0.2))])
        assert answer.error is None
        assert await busy.all_slots_free()
        await busy.poll()


async def test_calls_that_begin_between_two_polls_count(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, poll_seconds=30) as cluster:
        set_session_load(cluster.stages["renderer"][0], 0.4)
        await cluster.poll()
        calls = [cluster.stub.Animate() for _ in range(3)]
        for call in calls[:2]:
            await _live(call)
        await calls[2].write(config(pacing=REALTIME))
        with pytest.raises(grpc.aio.AioRpcError, match="renderer"):
            await calls[2].read()
        for call in calls:
            call.cancel()


async def test_the_less_loaded_replica_is_taken(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, {"renderer": 2}, poll_seconds=0.05) as cluster:
        slow, quick = cluster.stages["renderer"]
        set_session_load(slow, 0.4)
        set_session_load(quick, 0.1)
        calls = [cluster.stub.Animate() for _ in range(4)]
        for call in calls:
            await _live(call)
            await cluster.poll()
        assert (slow.slots.live, quick.slots.live) == (1, 3)
        for call in calls:
            call.cancel()


async def test_quality_goes_down_in_announced_steps_and_comes_back(busy: Cluster) -> None:
    motion, renderer = busy.stages["motion_dit"][0], busy.stages["renderer"][0]
    set_session_load(renderer, 0.85)
    call = busy.stub.Animate()
    await _live(call)
    events = await _events_until(call, DEGRADED) + await _events_until(call, DEGRADED)
    assert ["steps" in e.detail for e in events] == [True, True]
    assert ["width" in e.detail for e in events] == [False, True]
    await asyncio.sleep(0.5)
    assert motion.requests[-1].step_divisor == 2
    assert renderer.requests[-1].side_divisor == 2
    set_session_load(renderer, 0.3)
    events = await _events_until(call, RECOVERED)
    assert [e.kind for e in events] == [DEGRADED, RECOVERED]
    assert events[-1].frame_index > 0
    await asyncio.sleep(0.5)
    assert motion.requests[-1].step_divisor == renderer.requests[-1].side_divisor == 1
    call.cancel()


async def test_fewer_steps_are_not_taken_back_while_that_would_bring_the_load_back(
    busy: Cluster,
) -> None:
    motion = busy.stages["motion_dit"][0]
    set_session_load(motion, 0.75)
    call = busy.stub.Animate()
    await _live(call)
    await _events_until(call, DEGRADED)
    set_session_load(motion, 0.4)
    answer = Answer()
    end_s = time.monotonic() + 1
    while time.monotonic() < end_s:
        answer.take(await call.read())
    assert not answer.events
    assert answer.frames
    call.cancel()


@pytest.mark.parametrize(
    "fields",
    [{"keep_quality": True}, {"video_format": video_format("H264_FMP4")}],
    ids=["keep_quality", "H264"],
)
async def test_what_may_not_change_stays(busy: Cluster, fields: dict[str, object]) -> None:
    motion, renderer = busy.stages["motion_dit"][0], busy.stages["renderer"][0]
    set_session_load(renderer, 0.85)
    call = busy.stub.Animate()
    await _live(call, **fields)
    await asyncio.sleep(1)
    assert renderer.requests[-1].side_divisor == 1
    assert motion.requests[-1].step_divisor == (1 if "keep_quality" in fields else 2)
    call.cancel()
