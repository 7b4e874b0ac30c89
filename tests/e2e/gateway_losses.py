"""Calls of the Python clients to two gateways, of which one is lost on the way."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import av
import numpy as np

from ditto.client import (
    AsyncClient,
    CallStats,
    Chunk,
    Client,
    Event,
    EventKind,
    Frame,
    Item,
    Patience,
)
from ditto.local_cluster import ClusterPlan, LocalCluster
from tests.e2e import speech
from tests.e2e.portraits import astronaut, encoded

PATIENCE = Patience(point_interval_ms=500, stall_seconds=3.0, give_up_seconds=30.0)
PORTRAIT = encoded(astronaut(), "JPEG", quality=95)


def two_gateways(*settings: str) -> LocalCluster:
    """One replica of every stage behind two gateways."""
    return LocalCluster(ClusterPlan(gateways=2, settings={"gateway": settings}))


@dataclass
class Resumed:
    """What a caller got, and when."""

    frames: list[Frame] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    moves: list[Event] = field(default_factory=list)
    came_s: list[float] = field(default_factory=list)
    stats: CallStats | None = None

    def take(self, item: Item) -> int | None:
        """Keep an item; the index of the last frame in it."""
        if isinstance(item, Event):
            if item.kind is EventKind.RESUMED:
                self.moves.append(item)
            return None
        self.came_s.append(time.monotonic())
        if isinstance(item, Frame):
            self.frames.append(item)
            return item.index
        self.chunks.append(item)
        return item.first_frame if item.frames else None

    @property
    def indices(self) -> list[int]:
        """Of all frames, in the order in which they came."""
        return [f.index for f in self.frames] + [c.first_frame for c in self.chunks if c.frames]

    @property
    def hashes(self) -> list[str]:
        """One a frame."""
        return [sha256(frame.data).hexdigest() for frame in self.frames]

    @property
    def file(self) -> bytes:
        """The MP4."""
        return b"".join(chunk.data for chunk in self.chunks)

    def pictures(self) -> Iterator[np.ndarray]:
        """Those of the MP4, RGB."""
        with av.open(io.BytesIO(self.file)) as file:
            for picture in file.decode(video=0):
                yield picture.to_ndarray(format="rgb24")

    def sound(self) -> np.ndarray:
        """That of the MP4."""
        with av.open(io.BytesIO(self.file)) as file:
            return np.concatenate([part.to_ndarray()[0] for part in file.decode(audio=0)])


def call(
    target: str,
    said: Any,
    at_frame: int = -2,
    disturb: Callable[[], object] = lambda: None,
    **options: Any,
) -> Resumed:
    """A call that is disturbed once a frame has come, -1: once it has started."""
    taken = Resumed()
    with Client(target, patience=PATIENCE) as client:
        live = client.animate(PORTRAIT, said, **options)
        if at_frame == -1:
            disturb()
        for item in live:
            if taken.take(item) == at_frame and at_frame >= 0:
                disturb()
    taken.stats = live.stats
    return taken


async def async_call(
    target: str,
    said: Any,
    at_frame: int = -2,
    disturb: Callable[[], object] = lambda: None,
    **options: Any,
) -> Resumed:
    """The same with the other client."""
    taken = Resumed()
    async with AsyncClient(target, patience=PATIENCE) as client:
        live = await client.animate(PORTRAIT, said, **options)
        if at_frame == -1:
            disturb()
        async for item in live:
            if taken.take(item) == at_frame and at_frame >= 0:
                disturb()
    taken.stats = live.stats
    return taken


def either_client(is_async: bool, *arguments: Any, **options: Any) -> Resumed:
    """A call with the blocking client, or with the other one."""
    if is_async:
        return asyncio.run(async_call(*arguments, **options))
    return call(*arguments, **options)


def live(pcm: bytes, piece_s: float = 0.04) -> Iterator[bytes]:
    """Speech as a microphone gives it."""
    size = 2 * round(piece_s * speech.RATE_HZ)
    begun = time.monotonic()
    for number, at in enumerate(range(0, len(pcm), size)):
        time.sleep(max(0.0, begun + number * piece_s - time.monotonic()))
        yield pcm[at : at + size]


def strike(cluster: LocalCluster, name: str, how: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a gateway."""
    os.kill(cluster.servers[name].child.pid, how)


def revive(cluster: LocalCluster, name: str) -> None:
    """Start a gateway anew that was killed or stopped, and wait for it."""
    child = cluster.servers[name].child
    child.kill()
    child.wait(5)
    cluster.restart(name)
    cluster.wait_until_serving(name)


def check_whole(taken: Resumed, frames: int) -> None:
    """Every index once and in order, each with its own speech."""
    assert taken.indices == list(range(frames))
    assert taken.stats is not None
    assert taken.stats.frames == frames
    for frame in taken.frames:
        assert frame.speech_sample_offset == frame.index * 640
        assert frame.pts_seconds == frame.index / 25
