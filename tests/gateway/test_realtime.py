"""REALTIME calls through the whole gateway, on the machine's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Cluster, animate, config, running_cluster, speech, tone, video
from tests.gateway.fake_renderer import loudness

REALTIME = types.PACING_REALTIME


async def _idle_then(seconds: float, *after: pb.AnimateRequest) -> AsyncIterator[pb.AnimateRequest]:
    yield config(pacing=REALTIME)
    await asyncio.sleep(seconds)
    for request in after:
        yield request


async def test_frames_come_at_the_frame_rate(cluster: Cluster) -> None:
    call = cluster.stub.Animate(iter([config(pacing=REALTIME), *speech(tone(2.0))]))
    arrived = [
        (response.frame.index, time.monotonic())
        async for response in call
        if response.WhichOneof("response") == "frame"
    ]
    assert [index for index, _ in arrived] == list(range(50))
    assert arrived[-1][1] - arrived[0][1] == pytest.approx(49 * 0.04, abs=0.05)
    gaps = sorted(b[1] - a[1] for a, b in pairwise(arrived))
    assert gaps[25] == pytest.approx(0.04, abs=0.005)


async def test_the_face_idles_before_speech_and_the_events_frame_it(cluster: Cluster) -> None:
    answer = await animate(cluster, _idle_then(0.5, *speech(tone(0.6))))
    assert answer.error is None
    (started, ended) = answer.events
    assert started.kind == pb.EVENT_KIND_SPEECH_STARTED
    assert ended.kind == pb.EVENT_KIND_SPEECH_ENDED
    assert 11 <= started.frame_index <= 16
    assert 14 <= ended.frame_index - started.frame_index <= 16
    spoken = [frame.index for frame in answer.frames if loudness(frame.data)]
    assert (spoken[0], spoken[-1]) == (started.frame_index, ended.frame_index)
    assert len(answer.frames) == ended.frame_index + 1
    assert answer.stats.av_skew_ms == 0
    limit_ms = 1000 * (0.28 + 0.02 + 0.1) + 60
    assert answer.stats.ffd_ms < limit_ms
    assert answer.stats.ffd_compute_ms < answer.stats.ffd_ms


async def test_an_interrupt_is_answered_at_once_and_new_speech_follows(cluster: Cluster) -> None:
    call = cluster.stub.Animate()
    for request in [config(pacing=REALTIME), *speech(tone(20.0, 1000), 160_000)]:
        await call.write(request)
    frames: list[pb.VideoFrame] = []
    asked_at = took = 0.0
    kept = -1
    while (response := await call.read()) is not grpc.aio.EOF:
        kind = response.WhichOneof("response")
        if kind == "frame":
            frames.append(response.frame)
            if len(frames) == 20:
                asked_at = time.monotonic()
                await call.write(pb.AnimateRequest(interrupt=pb.Interrupt()))
        elif kind == "event" and response.event.kind == pb.EVENT_KIND_INTERRUPTED:
            took = time.monotonic() - asked_at
            kept = response.event.frame_index
            for request in speech(tone(0.5, 2000)):
                await call.write(request)
            await call.done_writing()
    assert 0 < took < 0.05
    assert [frame.index for frame in frames] == list(range(len(frames)))
    old = [frame.index for frame in frames if loudness(frame.data) == 1000]
    new = [frame.index for frame in frames if loudness(frame.data) == 2000]
    assert old[-1] == kept
    assert kept - 19 <= 15  # what the encoder had already, at most delay and one unit
    assert len(new) == pytest.approx(13, abs=1)
    assert new[0] - old[-1] <= 15


async def test_half_close_without_speech_ends_the_call(cluster: Cluster) -> None:
    answer = await animate(cluster, _idle_then(0.5))
    assert answer.error is None
    assert answer.order[-1] == "stats"
    assert all(not loudness(frame.data) for frame in answer.frames)
    assert 7 <= len(answer.frames) <= 30


async def test_a_slow_stage_counts_underruns_and_loses_nothing(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.06
    before = metrics.UNDERRUNS._value.get()
    answer = await animate(cluster, [config(pacing=REALTIME), *speech(tone(1.0))])
    assert answer.error is None
    assert [frame.index for frame in answer.frames] == list(range(25))
    assert metrics.UNDERRUNS._value.get() > before


@pytest.mark.slow
async def test_a_reader_too_slow_for_jpeg_is_told_what_it_missed(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, reader_lag_seconds=0.2) as cluster:
        settings = {"video_format": video("RGB24"), "pacing": REALTIME}
        call = cluster.stub.Animate(iter([config(**settings), *speech(tone(6.0))]))
        await asyncio.sleep(4.0)
        indices, skips = [], []
        while (response := await call.read()) is not grpc.aio.EOF:
            if response.WhichOneof("response") == "frame":
                indices.append(response.frame.index)
            elif response.event.kind == pb.EVENT_KIND_FRAMES_SKIPPED:
                skips.append((response.event.frame_index, len(indices)))
    assert indices[-1] == 149
    assert skips
    for frame_index, position in skips:
        assert indices[position] == frame_index > indices[position - 1] + 1


async def test_mp4_in_real_time_has_the_silence_too(cluster: Cluster) -> None:
    async def requests() -> AsyncIterator[pb.AnimateRequest]:
        yield config(pacing=REALTIME, video_format=video("H264_FMP4"))
        await asyncio.sleep(0.5)
        for request in speech(tone(0.4)):
            yield request

    answer = await animate(cluster, requests())
    assert answer.error is None
    framed = [chunk.first_frame_index for chunk in answer.chunks if chunk.frame_count]
    assert framed == list(range(len(framed)))
    assert len(framed) > 20
