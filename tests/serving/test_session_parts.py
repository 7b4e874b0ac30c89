"""Slots, the compute thread, bounded reading, frame blocks, step timing, footprint."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
from prometheus_client import REGISTRY

from ditto.errors import (
    AtCapacityError,
    CallLimitError,
    InvalidInputError,
    ProtocolError,
    StageUnavailableError,
)
from ditto.serving.batcher import Batcher, BatchLimits, Work
from ditto.serving.footprint import array_bytes
from ditto.serving.frames import block_of, frames_of
from ditto.serving.load import LoadMeter
from ditto.serving.requests import RequestReader
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity
from ditto.serving.steps import StepRunner
from ditto.serving.worker import ComputeThread


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_slots_are_counted_refused_and_given_back():
    pool = SlotPool("slots-test", 2)
    with pool.take(), pool.take():
        assert (pool.live, pool.free) == (2, 0)
        refused = metric("ditto_admissions_refused_total", reason="no_slot")
        with pytest.raises(AtCapacityError) as full, pool.take():
            pass
        assert full.value.retry_after_ms > 0
        assert metric("ditto_admissions_refused_total", reason="no_slot") == refused + 1
        assert metric("ditto_sessions_live", module="slots-test") == 2
    assert (pool.live, pool.free) == (0, 2)
    assert metric("ditto_slots_free", module="slots-test") == 2


async def test_draining_waits_for_live_sessions_and_refuses_new_ones():
    pool = SlotPool("slots-test", 2)
    with pool.take():
        draining = asyncio.create_task(pool.drain())
        await asyncio.sleep(0.01)
        assert not draining.done()
        assert pool.free == 0
        with pytest.raises(StageUnavailableError, match="draining"), pool.take():
            pass
    await asyncio.wait_for(draining, 1)


async def test_a_thread_runs_one_job_at_a_time_in_order_and_measures_it():
    worker, gate, running, order = ComputeThread("test", 8), threading.Event(), [], []

    def job(number: int) -> int:
        running.append(number)
        gate.wait()
        assert len(running) == 1
        order.append(running.pop())
        return number

    jobs = [asyncio.create_task(worker.run(job, number)) for number in range(3)]
    await asyncio.sleep(0.05)
    gate.set()
    results = await asyncio.gather(*jobs)
    assert [result for result, _ in results] == order == [0, 1, 2]
    assert results[0][1].compute_s >= 0.04
    assert all(took.queue_s >= 0.04 for _, took in results[1:])
    await worker.close()


async def test_a_thread_takes_so_many_jobs_and_no_more():
    worker, gate = ComputeThread("test", 2), threading.Event()
    held = [asyncio.create_task(worker.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(AtCapacityError):
        await worker.run(gate.wait)
    gate.set()
    await asyncio.gather(*held)
    assert (await worker.run(int))[0] == 0
    await worker.close()


async def test_a_cancelled_job_that_waits_never_runs():
    worker, gate, ran = ComputeThread("test", 3), threading.Event(), []
    first = asyncio.create_task(worker.run(gate.wait))
    second = asyncio.create_task(worker.run(ran.append, "second"))
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.wait({second})
    gate.set()
    await first
    await worker.run(ran.append, "third")
    assert ran == ["third"]
    await worker.close()


async def test_errors_of_a_job_reach_the_caller():
    worker = ComputeThread("test", 1)
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert (await worker.run(lambda: 1))[0] == 1
    await worker.close()


async def requests(*gaps_s: float) -> AsyncIterator[int]:
    for number, gap_s in enumerate(gaps_s):
        await asyncio.sleep(gap_s)
        yield number


async def test_a_reader_gives_requests_until_the_stream_closes():
    reader = RequestReader(requests(0, 0, 0), idle_s=1)
    assert await reader.first("config") == 0
    assert [request async for request in reader] == [1, 2]
    assert await reader.next() is None


async def test_a_stream_without_a_first_request_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="config"):
        await RequestReader(requests(), idle_s=1).first("config")


async def test_silence_ends_a_session_with_a_typed_error():
    reader = RequestReader(requests(0, 5), idle_s=0.05)
    await reader.next()
    with pytest.raises(CallLimitError, match=r"0\.05 s"):
        await reader.next()


def test_frames_survive_the_wire():
    frames = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    block = block_of(7, frames[:, ::-1])
    assert np.array_equal(frames_of(block, 5, expected_first=7), frames[:, ::-1])


@pytest.mark.parametrize(
    ("change", "dim", "first", "error"),
    [
        ({}, 6, 7, InvalidInputError),
        ({"data": b"123"}, 5, 7, InvalidInputError),
        ({"data": np.full(5, np.nan, "<f4").tobytes()}, 5, 7, InvalidInputError),
        ({}, 5, 6, ProtocolError),
        ({}, 5, 8, ProtocolError),
    ],
)
def test_blocks_that_do_not_fit_are_refused(change, dim, first, error):
    block = block_of(7, np.zeros((2, 5), np.float32))
    for name, value in change.items():
        setattr(block, name, value)
    with pytest.raises(error, match="frames"):
        frames_of(block, dim, first)


async def test_steps_add_up_until_frames_come_of_them():
    identity = StageIdentity("steps-test", "r", "p", "1", "h", 25)
    work = Work(lambda naps: [time.sleep(nap) for nap in naps], lambda nap, _: nap)
    batcher = Batcher("test", work, BatchLimits(), lambda: 1)
    load = LoadMeter()
    steps = StepRunner(identity, load, batcher)
    for _ in range(3):
        await steps.run(0.01)
    timing = steps.timing(frames=5)
    assert 30_000 <= timing.compute_us < 300_000
    assert timing.batch_size == 1
    assert steps.timing(frames=0).compute_us == 0
    assert load.session_load == pytest.approx(timing.compute_us / 1e6 / (5 / 25), rel=1e-3)
    assert metric("ditto_frames_total", module="steps-test") == 5
    assert metric("ditto_rtf_count", module="steps-test") == 1
    assert metric("ditto_rtf_sum", module="steps-test") == pytest.approx(
        timing.compute_us / 1e6 / (5 / 25), rel=1e-3
    )
    await batcher.close()


@dataclass
class Holder:
    """Arrays in every kind of place."""

    one: np.ndarray
    many: dict[str, tuple[np.ndarray, ...]]


def test_the_footprint_counts_every_buffer_once():
    base = np.zeros(100, np.float32)
    loop: list[object] = [base]
    loop.append(loop)
    holder = Holder(base[:10], {"a": (base[50:], np.zeros(10, np.uint8)), "b": (base,)})
    assert array_bytes([holder, loop, np.frombuffer(bytes(32), np.uint8)]) == 400 + 10 + 32


def test_the_load_of_a_session_is_compute_time_over_video_of_the_last_seconds():
    now = 0.0
    load = LoadMeter(threads=2, clock=lambda: now)
    assert load.session_load == 0
    for _ in range(20):
        load.add(compute_s=0.1, video_s=0.2)
        now += 1
    assert load.session_load == pytest.approx(0.25)
    for _ in range(20):
        load.add(compute_s=0.02, video_s=0.2)
        now += 1
    assert load.session_load == pytest.approx(0.05)


def test_slots_know_which_sessions_are_in_real_time():
    pool = SlotPool("slots-test", 3)
    with pool.take(is_realtime=True), pool.take():
        assert (pool.live, pool.realtime) == (2, 1)
    assert pool.realtime == 0


async def test_reserved_slots_are_for_moved_sessions():
    pool = SlotPool("slots-test", 1, reserved=1)
    with pool.take():
        assert pool.free == 0
        with pytest.raises(AtCapacityError), pool.take():
            pass
        with pool.take(moved=True):
            assert (pool.live, pool.free) == (2, 0)
            with pytest.raises(AtCapacityError), pool.take(moved=True):
                pass
