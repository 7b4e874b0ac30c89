"""Compute threads: blocking work leaves the event loop, one job at a time, bounded, measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from ditto.errors import AtCapacityError
from ditto.serving.step_time import StepTime, step_time

Result = TypeVar("Result")


class ComputeThread:
    """One thread that runs jobs in the order of arrival."""

    def __init__(self, name: str, max_pending: int) -> None:
        """``max_pending`` bounds the jobs that wait or run."""
        self._name = name
        self._max_pending = max_pending
        self._pending = 0
        self._counting = Lock()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(
        self, function: Callable[..., Result], *arguments: object
    ) -> tuple[Result, StepTime]:
        """Give the function's result and what it took.

        A cancelled caller's job is dropped if it has not begun; one that has begun ends unheard.
        Raises `AtCapacityError` at ``max_pending`` jobs, and whatever the function raises.
        """
        with self._counting:
            if self._pending >= self._max_pending:
                raise AtCapacityError(f"{self._name}: {self._pending} jobs are waiting already")
            self._pending += 1
        future = self._executor.submit(_timed, function, arguments, time.perf_counter())
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Drop what waits; the thread ends after the job that runs."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _done(self, _: object) -> None:
        """Called in the thread: waking the event loop a second time for each job would cost it."""
        with self._counting:
            self._pending -= 1


def _timed(
    function: Callable[..., Result], arguments: tuple[object, ...], submitted: float
) -> tuple[Result, StepTime]:
    begun = time.perf_counter()
    result = function(*arguments)
    return result, step_time(time.perf_counter() - begun, begun - submitted)
