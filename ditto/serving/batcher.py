"""Continuous batching: steps of different sessions that are ready together are computed as one.

A session joins or leaves at any step. One thread computes, or several; while they do, the next
batch gathers. A free one waits for more items only if other sessions live, and never past a bound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from ditto.errors import AtCapacityError
from ditto.serving.batch_queue import BatchQueue
from ditto.serving.step_time import StepTime, step_time

Item = TypeVar("Item")
Output = TypeVar("Output")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BatchLimits:
    """How far a batcher goes for company."""

    max_batch: int = 8
    """Most items in a batch."""
    max_wait_s: float = 0.005
    """Longest that an item waits for others while the thread is free."""
    max_pending: int = 64
    """Most items that wait; further ones are refused."""


@dataclass(frozen=True)
class Work(Generic[Item, Output, Result]):
    """What a batcher computes. Both functions run in its thread."""

    compute: Callable[[Sequence[Item]], Sequence[Output]]
    """A batch to one output an item, in order. Changes nothing: after an error it is called again
    with each item alone."""
    accept: Callable[[Item, Output], Result]
    """Called once an item whose output was computed; what it raises is that item's alone."""


@dataclass(frozen=True, eq=False)
class _Entry(Generic[Item, Result]):
    item: Item
    deadline_s: float
    arrived_s: float
    future: Future[tuple[Result, StepTime]] = field(default_factory=Future)


class Batcher(Generic[Item, Result]):
    """Compute threads fed with batches, earliest deadline first. Used from an event loop.

    A session that asks for one step at a time gets its steps in order, whichever threads do them.
    """

    def __init__(
        self,
        name: str,
        work: Work[Item, Any, Result],
        limits: BatchLimits,
        live_sessions: Callable[[], int],
        clock: Callable[[], float] = time.perf_counter,
        threads: int = 1,
    ) -> None:
        """``live_sessions`` tells how many sessions could have an item: a lone one never waits."""
        self._name = name
        self._work = work
        self._limits = limits
        self._live_sessions = live_sessions
        self._clock = clock
        self._queue: BatchQueue[_Entry[Item, Result]] = BatchQueue(
            limits.max_batch, limits.max_wait_s
        )
        self._changed = Condition()
        self._is_closed = False
        for _ in range(threads):
            Thread(target=self._run, name=name, daemon=True).start()

    async def run(self, item: Item, deadline_s: float) -> tuple[Result, StepTime]:
        """Give the item's result and what its batch took.

        A cancelled caller's item is dropped if its batch has not begun; else it ends unheard.
        Raises `AtCapacityError` when too many wait, and whatever the work raises for this item.
        """
        entry: _Entry[Item, Result] = _Entry(item, deadline_s, self._clock())
        with self._changed:
            if len(self._queue) >= self._limits.max_pending:
                raise AtCapacityError(f"{self._name}: {len(self._queue)} steps are waiting already")
            self._queue.add(entry)
            self._changed.notify()
        try:
            return await asyncio.wrap_future(entry.future)
        except asyncio.CancelledError:
            with self._changed:
                self._queue.discard(entry)
                self._changed.notify()
            raise

    async def close(self) -> None:
        """Drop what waits; the thread ends after the batch that runs."""
        with self._changed:
            self._is_closed = True
            while waiting := self._queue.take():
                for entry in waiting:
                    entry.future.cancel()
            self._changed.notify_all()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._compute(batch)

    def _next_batch(self) -> list[_Entry[Item, Result]]:
        """Those of the next batch that are still wanted; none when closed."""
        with self._changed:
            while not self._is_closed:
                due_s = self._queue.due_s(self._live_sessions())
                wait_s = None if due_s is None else due_s - self._clock()
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                    continue
                batch = [e for e in self._queue.take() if e.future.set_running_or_notify_cancel()]
                if len(self._queue):
                    self._changed.notify()  # another thread may be free
                if batch:
                    return batch
        return []

    def _compute(self, batch: list[_Entry[Item, Result]]) -> None:
        begun_s = self._clock()
        outcomes = self._outcomes([entry.item for entry in batch])
        compute_s = self._clock() - begun_s
        for entry, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                entry.future.set_exception(outcome)
            else:
                took = step_time(compute_s, begun_s - entry.arrived_s, len(batch))
                entry.future.set_result((outcome, took))

    def _outcomes(self, items: list[Item]) -> list[Result | Exception]:
        """A result or an error for each; one item's error never becomes another's."""
        try:
            pairs = list(zip(items, self._work.compute(items), strict=True))
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [outcome for item in items for outcome in self._outcomes([item])]
        return [self._accepted(*pair) for pair in pairs]

    def _accepted(self, item: Item, output: Any) -> Result | Exception:
        try:
            return self._work.accept(item, output)
        except Exception as error:
            return error
