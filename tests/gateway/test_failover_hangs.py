"""A replica hangs when it leaves work unanswered, and not when it has none or nobody reads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc

from tests.gateway.cluster import Answer, config, speech, video
from tests.gateway.failing import (
    FRAMES,
    check_frames,
    disturbed_call,
    failovers,
    pair,
    ramp,
    strike,
)


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
