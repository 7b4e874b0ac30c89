"""What fails in a call that has ended already is not logged as an error without an owner."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from gateway.dropped_tasks import drop
from tests.gateway.cluster import Cluster, config, speech, tone, video


@pytest.fixture
async def unheard() -> list[dict[str, Any]]:
    """What asyncio reports of tasks whose errors were never asked for."""
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
    return reports


async def test_a_dropped_task_fails_unheard(unheard: Any) -> None:
    async def fail_when_cancelled() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("too late")

    task = asyncio.create_task(fail_when_cancelled())
    await asyncio.sleep(0)
    drop(task)
    await asyncio.wait({task})
    del task
    await asyncio.sleep(0)
    gc.collect()
    assert not unheard


async def test_frames_for_a_caller_who_is_gone_fail_unheard(cluster: Cluster, unheard: Any) -> None:
    for _ in range(5):
        call = cluster.stub.Animate(timeout=30)
        for request in [config(video_format=video("RGB24")), *speech(tone(2.0))]:
            await call.write(request)
        await call.read()
        await asyncio.sleep(0.1)  # a frame waits now
        call.cancel()
        assert await cluster.all_slots_free()
    gc.collect()
    assert not unheard
