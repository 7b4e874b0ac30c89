"""A call that idles, lasts, speaks or lags too long ends with an error that names the limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import animate, config, running_cluster, speech, tone, video

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


async def _then_wait(*requests: pb.AnimateRequest) -> AsyncIterator[pb.AnimateRequest]:
    for request in requests:
        yield request
    await asyncio.sleep(60)


@pytest.mark.parametrize("pacing", [types.PACING_FAST, types.PACING_REALTIME])
async def test_idling(tmp_path: Path, pacing: types.Pacing) -> None:
    async with running_cluster(tmp_path, idle_seconds=0.4) as cluster:
        requests = _then_wait(config(pacing=pacing), *speech(tone(0.6)))
        began = time.monotonic()
        answer = await animate(cluster, requests)
        took = time.monotonic() - began
        assert answer.error is not None
        assert answer.error.code() is EXHAUSTED
        assert "idle_seconds" in answer.error.details()
        assert answer.trailers["ditto-error"] == "CallLimitError"
        assert "retry-after-ms" not in answer.trailers
        least = 0.4 + (0.6 if pacing == types.PACING_REALTIME else 0.0)
        assert least <= took < least + 1.0  # speech that waits to be spoken is not idling
        assert await cluster.all_slots_free()


async def test_the_first_message_must_come_soon(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, handshake_timeout_seconds=0.2) as cluster:
        answer = await animate(cluster, _then_wait())
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "0.2 s" in answer.error.details()


async def test_the_length_of_a_call(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, call_seconds=0.8) as cluster:
        requests = _then_wait(config(pacing=types.PACING_REALTIME), *speech(tone(0.2)))
        answer = await animate(cluster, requests)
        assert answer.error is not None
        assert answer.error.code() is EXHAUSTED
        assert "call_seconds" in answer.error.details()
        assert answer.frames
        assert answer.trailers["ditto-frames"] == str(len(answer.frames))
        assert float(answer.trailers["ditto-ffd-ms"]) > 0
        assert await cluster.all_slots_free()


async def test_too_much_speech(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, speech_seconds=2) as cluster:
        answer = await animate(cluster, [config(), *speech(tone(2.1))])
        assert answer.error is not None
        assert answer.error.code() is EXHAUSTED
        assert "at most 2 seconds" in answer.error.details()
        assert await cluster.all_slots_free()
        assert (await animate(cluster, [config(), *speech(tone(2.0))])).error is None


async def test_a_caller_who_does_not_read(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, idle_seconds=0.5) as cluster:
        call = cluster.stub.Animate(iter([config(video_format=video("RGB24")), *speech(tone(8.0))]))
        await asyncio.sleep(2.5)
        assert await cluster.all_slots_free()
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            async for _ in call:
                pass
        assert refusal.value.code() is EXHAUSTED
        assert "nothing was read" in refusal.value.details()
