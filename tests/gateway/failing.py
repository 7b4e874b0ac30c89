"""Calls whose stages fail on the way, of speech that tells its frames apart."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from grpc_health.v1 import health_pb2

from ditto.v1 import animation_pb2 as pb
from tests.gateway.cluster import MODULES, Answer, Cluster, animate, config, running_cluster, speech
from tests.gateway.fake_renderer import loudness
from tests.gateway.fake_stage import FakeStage
from tests.until import until

QUICK = {
    "poll_seconds": 0.1,
    "poll_timeout_seconds": 5.0,
    "hang_seconds": 0.4,
    "failover_seconds": 8.0,
}
"""Faults are noticed soon, but not on a machine that has much else to do where there are none."""
SILENT = {"poll_timeout_seconds": 0.3, "missed_polls": 3, "hang_seconds": 30.0}
"""Only the polls tell."""
PAIR = dict.fromkeys(MODULES, 2)
FRAMES = 50
FRAME_SAMPLES = 640
Disturb = Callable[[], Awaitable[None] | None]


def pair(tmp_path: Path, **settings: Any) -> Any:
    """Two replicas of every stage."""
    return running_cluster(tmp_path, **{"replicas": PAIR, **QUICK, **settings})


def strike(cluster: Cluster, module: str, reason: str) -> None:
    """Make the replica that serves go the way that a reason stands for."""
    stage = serving(cluster, module)
    if reason == "reset":
        asyncio.get_running_loop().create_task(stage.server.stop(None))
    elif reason == "hang":
        stage.faults.hang_at_frame = 0
    elif reason == "polls":
        stage.is_stopped = True
    elif reason == "drain":
        stage.slots.draining = True
    else:
        status = health_pb2.HealthCheckResponse.NOT_SERVING
        asyncio.get_running_loop().create_task(stage.health.set("", status))


def level(frame: int) -> float:
    """How loud a frame of `ramp` is, and so what it shows."""
    return 200.0 + 40 * frame


def ramp(frames: int, first: int = 0) -> bytes:
    """S16LE speech at 16 kHz, each 40 ms of it louder than those before."""
    levels = [level(first + frame) for frame in range(frames)]
    return np.repeat(np.array(levels, "<i2"), FRAME_SAMPLES).tobytes()


async def disturbed_call(
    cluster: Cluster, frames: int, after: int, disturb: Disturb, **fields: Any
) -> Answer:
    """A call of so many frames, disturbed once `after` of them have come."""
    answer = Answer()
    requests = _disturbing(answer, frames, after, disturb, **fields)
    return await animate(cluster, requests, answer)


async def _disturbing(
    answer: Answer, frames: int, after: int, disturb: Disturb, **fields: Any
) -> AsyncIterator[pb.AnimateRequest]:
    yield config(**fields)
    held_back = min(frames, after + 20)  # the stages look ahead and work in units
    for request in speech(ramp(held_back)):
        yield request
    await until(lambda: len(answer.frames) + len(answer.chunks) >= after)
    if (disturbing := disturb()) is not None:
        await disturbing
    for request in speech(ramp(frames - held_back, first=held_back)):
        yield request


def serving(cluster: Cluster, module: str) -> FakeStage:
    """The replica that has a session."""
    return next(stage for stage in cluster.stages[module] if stage.slots.live)


def share_faults(cluster: Cluster, module: str) -> Any:
    """Faults that strike whichever replica of a stage gets there first."""
    first, *others = cluster.stages[module]
    for other in others:
        other.faults = first.faults
    return first.faults


def check_frames(answer: Answer, frames: int, gain: float = 1.0) -> None:
    """Every frame once, in order, and showing what it should; no error."""
    assert answer.error is None, answer.error.details()
    assert [frame.index for frame in answer.frames] == list(range(frames))
    assert [loudness(frame.data) for frame in answer.frames] == [
        gain * level(frame) for frame in range(frames)
    ]
    assert answer.stats.frames == frames
    assert answer.stats.av_skew_ms == 0


def failovers(answer: Answer) -> list[pb.Event]:
    """What the caller was told of replicas that were replaced."""
    return [event for event in answer.events if event.kind == pb.EVENT_KIND_FAILED_OVER]


def pictures(answer: Answer) -> list[float]:
    """Mean grey of each decoded frame of an MP4 file."""
    data = b"".join(chunk.data for chunk in answer.chunks)
    with av.open(io.BytesIO(data)) as file:
        return [float(f.to_ndarray(format="gray").mean()) for f in file.decode(video=0)]
