"""Clients that misbehave cost the gateway little, and the calls beside them less.

The loop's turns are measured in processor time of its thread, which a busy machine does not change.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import pytest

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub
from gateway.call.speech_queue import SpeechQueue
from tests.gateway.cluster import animate, config, running_cluster, speech, tone

LONGEST_TURN_S = 0.15
"""Decoding what these send in one go would take a second or more."""
WAV = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)


class Turns:
    """The longest time that a loop's thread computed between two turns of one task."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last_s = 0.0

    async def run(self) -> None:
        self._last_s = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now_s = time.thread_time()
            self.longest_s = max(self.longest_s, now_s - self._last_s)
            self._last_s = now_s


@pytest.mark.parametrize(
    ("audio_format", "message"),
    [
        (types.AudioFormat(sample_rate_hz=4000), bytes(1 << 20)),
        (
            types.AudioFormat(
                encoding=types.AUDIO_ENCODING_F32LE, sample_rate_hz=192_000, channels=8
            ),
            bytes(1 << 20),
        ),
        (WAV, b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 100_000),
    ],
    ids=["4 kHz", "192 kHz of 8 channels", "a WAV file of empty chunks"],
)
async def test_a_large_message_is_decoded_in_turns(
    tmp_path: Path, audio_format: types.AudioFormat, message: bytes
) -> None:
    async with running_cluster(tmp_path) as cluster:
        turns = Turns()
        watching = asyncio.create_task(turns.run())
        requests = [config(audio_format=audio_format), pb.AnimateRequest(audio=message)]
        await _in_a_thread(cluster.address, requests, until_frames=5)
        watching.cancel()
        assert turns.longest_s < LONGEST_TURN_S
        assert await cluster.all_slots_free()


async def test_a_message_of_many_parts_is_refused_unread(tmp_path: Path) -> None:
    control = types.MotionControl.FromString(b"\x8a\x01\x00" * 300_000)
    async with running_cluster(tmp_path) as cluster:
        turns = Turns()
        watching = asyncio.create_task(turns.run())
        requests = [config(), *speech(tone(0.2)), pb.AnimateRequest(control=control)]
        error = await _in_a_thread(cluster.address, requests)
        watching.cancel()
        assert error is not None
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert turns.longest_s < LONGEST_TURN_S
        assert await cluster.all_slots_free()


async def test_tiny_messages_reach_the_encoder_in_whole_pieces(tmp_path: Path) -> None:
    async with running_cluster(tmp_path) as cluster:
        said = [pb.AnimateRequest(audio=tone(1 / 16_000)) for _ in range(700)]
        answer = await animate(cluster, [config(), *said])
        assert answer.error is None
        assert len(answer.frames) == 2
        assert len(cluster.stages["audio_encoder"][0].requests) <= 2


async def test_the_beginning_of_a_piece_does_not_keep_an_idle_call(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, idle_seconds=0.4) as cluster:

        async def said() -> Any:
            yield config()
            yield pb.AnimateRequest(audio=tone(0.01))
            await asyncio.sleep(30)

        answer = await animate(cluster, said())
        assert answer.error is not None
        assert "idle_seconds" in answer.error.details()


@pytest.mark.parametrize("seconds", [12, pytest.param(60, marks=pytest.mark.slow)])
async def test_much_speech_at_once(tmp_path: Path, seconds: int) -> None:
    async with running_cluster(tmp_path) as cluster:
        requests = [config(), *speech(tone(seconds), message_bytes=64_000)]
        answer, beside = await asyncio.gather(
            animate(cluster, requests), animate(cluster, [config(), *speech(tone(1))])
        )
        assert [frame.index for frame in answer.frames] == list(range(25 * seconds))
        assert [frame.index for frame in beside.frames] == list(range(25))


async def test_speech_without_end(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, speech_seconds=5) as cluster:

        def endless() -> Iterator[pb.AnimateRequest]:
            yield config()
            while True:
                yield pb.AnimateRequest(audio=tone(0.5))

        error = await _in_a_thread(cluster.address, endless())
        assert error is not None
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await cluster.all_slots_free()


@pytest.mark.parametrize("name", ["pack", "blendshape"])
async def test_what_was_sent_is_not_sent_back_at_length(tmp_path: Path, name: str) -> None:
    long = "x" * 100_000
    settings: dict[str, Any] = {"pack": {"pack": long}, "blendshape": {}}[name]
    control = types.MotionControl(blendshapes={long: 1.0})
    async with running_cluster(tmp_path) as cluster:
        requests = [config(**settings), pb.AnimateRequest(control=control)]
        answer = await animate(cluster, requests)
        assert answer.error is not None
        assert answer.error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert len(answer.error.details()) <= 1000
        assert len(answer.trailers["ditto-error-field"]) <= 100


def test_speech_in_single_samples_takes_the_memory_of_speech() -> None:
    queue, samples = SpeechQueue(), 200_000
    tracemalloc.start()
    for _ in range(samples):
        queue.put(b"\x01\x02")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert queue.samples == samples
    assert held < 1.4 * 2 * samples
    assert queue.take(5) == b"\x01\x02" * 5
    assert len(queue.take(10**9)) == 2 * (samples - 5)


async def _in_a_thread(
    address: str, requests: Any, until_frames: int | None = None
) -> grpc.RpcError | None:
    """Call from another thread, whose work is then not that of the gateway's loop."""
    found: list[grpc.RpcError] = []

    def call() -> None:
        with grpc.insecure_channel(address, [("grpc.max_send_message_length", -1)]) as channel:
            answers: Any = AnimationServiceStub(channel).Animate(iter(requests), timeout=60)
            try:
                frames = 0
                for answer in answers:
                    frames += answer.HasField("frame")
                    if frames == until_frames:
                        return
            except grpc.RpcError as error:
                found.append(error)

    await _finished(call)
    return next(iter(found), None)


async def _finished(work: Callable[[], None]) -> None:
    thread = Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
