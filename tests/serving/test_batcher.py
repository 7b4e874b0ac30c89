"""The batcher's thread: batches form, errors and cancellations stay with their own item."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from ditto.errors import AtCapacityError
from ditto.serving.batcher import Batcher, BatchLimits, Work


class Doubler:
    """Doubles numbers; remembers the batches, fails on negative ones, waits for its gate."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.accepted: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.is_inside = threading.Event()

    def compute(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.is_inside.set()
        self.gate.wait(10)
        if min(items) < 0:
            raise ValueError(f"negative: {min(items)}")
        return [2 * item for item in items]

    def accept(self, item: int, output: int) -> tuple[int, int]:
        self.accepted.append(item)
        if item == 13:
            raise KeyError(item)
        return item, output


@asynccontextmanager
async def batching(
    doubler: Doubler, sessions: int = 8, **limits: float
) -> AsyncIterator[Batcher[int, tuple[int, int]]]:
    work = Work(doubler.compute, doubler.accept)
    batcher = Batcher("test", work, BatchLimits(**limits), lambda: sessions)
    try:
        yield batcher
    finally:
        doubler.gate.set()
        await batcher.close()


async def held(doubler: Doubler, batcher: Batcher[int, tuple[int, int]]) -> asyncio.Task[object]:
    """An item that is being computed until the gate opens."""
    doubler.gate.clear()
    task = asyncio.create_task(batcher.run(0, 0.0))
    await asyncio.to_thread(doubler.is_inside.wait, 10)
    return task


async def submit(
    batcher: Batcher[int, tuple[int, int]], items: dict[int, float]
) -> list[asyncio.Task[object]]:
    """Items with their deadlines, waiting once this returns."""
    tasks = [asyncio.create_task(batcher.run(item, due)) for item, due in items.items()]
    await asyncio.sleep(0)
    return tasks


async def test_what_gathers_while_the_thread_computes_goes_together():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=1) as batcher:
        first = await held(doubler, batcher)
        tasks = await submit(batcher, dict.fromkeys(range(1, 9), 1.0))
        doubler.gate.set()
        results = await asyncio.gather(*tasks)
        await first
    assert doubler.batches == [[0], list(range(1, 9))]
    assert [result for result, _ in results] == [(n, 2 * n) for n in range(1, 9)]
    assert {took.batch_size for _, took in results} == {8}


async def test_the_earliest_deadlines_go_first():
    doubler = Doubler()
    async with batching(doubler, max_batch=2, max_wait_s=0) as batcher:
        first = await held(doubler, batcher)
        tasks = await submit(batcher, {1: 5.0, 2: 1.0, 3: 4.0, 4: 2.0, 5: 3.0})
        doubler.gate.set()
        await asyncio.gather(first, *tasks)
    assert doubler.batches == [[0], [2, 4], [5, 3], [1]]


async def test_a_lone_session_does_not_wait():
    doubler = Doubler()
    async with batching(doubler, sessions=1, max_wait_s=60) as batcher:
        result, took = await asyncio.wait_for(batcher.run(4, 0.0), 10)
    assert result == (4, 8)
    assert took.batch_size == 1


async def test_one_of_several_sessions_waits_so_long_at_most():
    doubler = Doubler()
    async with batching(doubler, sessions=8, max_wait_s=0.05) as batcher:
        _, took = await asyncio.wait_for(batcher.run(4, 0.0), 10)
    assert took.queue_s >= 0.05


async def test_an_error_is_its_own_items_alone():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=0) as batcher:
        first = await held(doubler, batcher)
        tasks = await submit(batcher, {1: 1.0, -2: 2.0, 3: 3.0, 13: 4.0})
        doubler.gate.set()
        one, bad, three, refused = await asyncio.gather(*tasks, return_exceptions=True)
        await first
        assert await batcher.run(5, 0.0)
    assert isinstance(bad, ValueError)
    assert str(bad) == "negative: -2"
    assert isinstance(refused, KeyError)
    assert (one[0], three[0]) == ((1, 2), (3, 6))
    assert doubler.accepted == [0, 1, 3, 13, 5]


async def test_a_cancelled_item_that_waits_is_never_computed():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=0) as batcher:
        first = await held(doubler, batcher)
        wanted, unwanted = await submit(batcher, {1: 1.0, 2: 2.0})
        unwanted.cancel()
        await asyncio.wait({unwanted})
        doubler.gate.set()
        await asyncio.gather(first, wanted)
    assert doubler.batches == [[0], [1]]


async def test_an_item_cancelled_while_computed_does_not_disturb_its_batch():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=0) as batcher:
        running = await held(doubler, batcher)
        running.cancel()
        await asyncio.wait({running})
        doubler.gate.set()
        assert (await batcher.run(1, 0.0))[0] == (1, 2)


async def test_so_many_wait_and_no_more():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=0, max_pending=2) as batcher:
        first = await held(doubler, batcher)
        waiting = await submit(batcher, {1: 1.0, 2: 2.0})
        with pytest.raises(AtCapacityError):
            await batcher.run(3, 3.0)
        doubler.gate.set()
        await asyncio.gather(first, *waiting)


async def test_closing_drops_what_waits():
    doubler = Doubler()
    async with batching(doubler, max_wait_s=0) as batcher:
        first = await held(doubler, batcher)
        (waiting,) = await submit(batcher, {1: 1.0})
        await batcher.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        doubler.gate.set()
        assert (await first)[0] == (0, 0)
    assert doubler.batches == [[0]]


async def test_sessions_that_come_and_go_at_random_each_get_their_own_results():
    """Nothing is lost, doubled or mixed, with errors and cancelled items among them."""
    doubler, chance = Doubler(), random.Random(7)

    async def session(number: int) -> None:
        for step in range(20):
            item = 100 * number + step + 1
            kind = chance.random()
            task = asyncio.create_task(batcher.run(-item if kind < 0.1 else item, chance.random()))
            if kind > 0.9:
                await asyncio.sleep(chance.random() / 1000)
                task.cancel()
                await asyncio.wait({task})
            elif kind < 0.1:
                with pytest.raises(ValueError, match=f"negative: -{item}$"):
                    await task
            elif item != 13:
                assert (await task)[0] == (item, 2 * item)
            await asyncio.sleep(chance.random() / 500)

    async with batching(doubler, max_batch=4, max_wait_s=0.002) as batcher:
        await asyncio.gather(*(session(number) for number in range(1, 9)))
    assert len(doubler.accepted) == len(set(doubler.accepted))
    assert max(map(len, doubler.batches)) > 1
