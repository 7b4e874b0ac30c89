"""Two gateways before one set of fake stages, of which a test may kill either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from ditto.client import AsyncClient, Chunk, Event, EventKind, Frame, Item, Patience
from ditto.serving.interceptor import CallInterceptor
from ditto.serving.server import MAX_RECEIVE_BYTES
from gateway.service import GatewayService, make_load
from tests.gateway.cluster import Cluster, running_cluster

PATIENCE = Patience(point_interval_ms=200, stall_seconds=10.0, give_up_seconds=20.0)
_OPTIONS = [("grpc.max_receive_message_length", MAX_RECEIVE_BYTES), ("grpc.so_reuseport", 0)]


@dataclass
class Gateway:
    """A further gateway."""

    service: GatewayService
    server: Any
    address: str

    async def kill(self) -> None:
        """Every connection breaks."""
        await self.server.stop(None)


@dataclass
class TwoGateways:
    """The first is the one that is called first."""

    cluster: Cluster
    first: Gateway
    second: Gateway

    @property
    def target(self) -> str:
        return f"{self.first.address},{self.second.address}"

    def client(self, patience: Patience = PATIENCE) -> AsyncClient:
        return AsyncClient(self.target, patience=patience)


@asynccontextmanager
async def two_gateways(folder: Path, **settings: Any) -> AsyncIterator[TwoGateways]:
    """Both for the length of a block; `settings` are keys of both."""
    async with running_cluster(folder, **settings) as cluster:
        first, second = await _start(cluster), await _start(cluster)
        try:
            yield TwoGateways(cluster, first, second)
        finally:
            for gateway in (first, second):
                await gateway.server.stop(None)
                await gateway.service.close()


async def _start(cluster: Cluster) -> Gateway:
    service = await make_load(cluster.config)()
    server = grpc.aio.server(interceptors=[CallInterceptor(lambda: True)], options=_OPTIONS)
    service.register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return Gateway(service, server, f"127.0.0.1:{port}")


def rising(seconds: float) -> bytes:
    """S16LE speech at 16 kHz that is louder with each frame."""
    frames = round(seconds * 25)
    return np.repeat(np.arange(1, frames + 1) * 20, 640).astype("<i2").tobytes()


@dataclass
class Taken:
    """What a caller got of a call."""

    items: list[Item]

    @property
    def frames(self) -> list[Frame]:
        return [item for item in self.items if isinstance(item, Frame)]

    @property
    def mp4(self) -> bytes:
        return b"".join(item.data for item in self.items if isinstance(item, Chunk))

    def events(self, *kinds: EventKind) -> list[Event]:
        return [item for item in self.items if isinstance(item, Event) and item.kind in kinds]
