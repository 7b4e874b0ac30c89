"""A gateway in this process before fake stages, all on loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from ditto.serving.call_writes import write_message
from ditto.serving.credentials import Credentials, server_credentials
from ditto.serving.interceptor import CallInterceptor
from ditto.serving.server import MAX_RECEIVE_BYTES
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub
from gateway.access.authentication import interceptors
from gateway.config import GatewayConfig
from gateway.service import GatewayService, make_load
from tests.gateway.fake_stage import FakeStage
from tests.gateway.fake_stages import listen, start_stage

MODULES = ("audio_encoder", "motion_dit", "renderer")
_OPTIONS = [("grpc.max_receive_message_length", MAX_RECEIVE_BYTES), ("grpc.so_reuseport", 0)]
_CLIENT_OPTIONS = [("grpc.max_receive_message_length", 64 * 2**20)]


@dataclass
class Cluster:
    """What a test may use."""

    stub: Any
    stages: dict[str, list[FakeStage]]
    config: GatewayConfig
    gateway: GatewayService
    address: str = ""

    async def poll(self) -> None:
        """Let the gateway look at its stages now."""
        pools = self.gateway._pools
        await asyncio.gather(*(pool.poll() for pool in pools))

    async def all_slots_free(self, within_s: float = 1.0) -> bool:
        """True once no stage serves a session any more."""
        for _ in range(int(within_s / 0.01)):
            if not any(stage.slots.live for each in self.stages.values() for stage in each):
                return True
            await asyncio.sleep(0.01)
        return False


@asynccontextmanager
async def running_cluster(
    folder: Path,
    replicas: dict[str, int] | None = None,
    slots: int = 4,
    stage_tls: Credentials | None = None,
    **settings: Any,
) -> AsyncIterator[Cluster]:
    """A whole cluster for the length of a block; `settings` are keys of the gateway."""
    stages = {
        module: [
            await start_stage(
                module, i, slots, credentials=stage_tls.for_server() if stage_tls else None
            )
            for i in range((replicas or {}).get(module, 1))
        ]
        for module in MODULES
    }
    config = GatewayConfig(
        listen="127.0.0.1:1",
        metrics_listen="127.0.0.1:1",
        avatar_store=folder / "avatars",
        **{module: tuple(stage.address for stage in stages[module]) for module in MODULES},
        **{"poll_seconds": 0.2, **settings},
    )
    service = await make_load(config)()
    guards = [*interceptors(config), CallInterceptor(lambda: True)]
    server = grpc.aio.server(interceptors=guards, options=_OPTIONS)
    service.register(server)
    tls = server_credentials(config)
    port = listen(server, 0, tls.for_server() if tls else None)
    await server.start()
    address = f"127.0.0.1:{port}"
    try:
        async with grpc.aio.insecure_channel(address, options=_CLIENT_OPTIONS) as channel:
            yield Cluster(AnimationServiceStub(channel), stages, config, service, address)
    finally:
        await server.stop(None)
        await service.close()
        for stage in (stage for each in stages.values() for stage in each):
            await stage.server.stop(None)


@dataclass
class Answer:
    """Everything that came back from one call."""

    started: pb.Started = field(default_factory=pb.Started)
    frames: list[pb.VideoFrame] = field(default_factory=list)
    chunks: list[pb.ContainerChunk] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    stats: pb.CallStats = field(default_factory=pb.CallStats)
    trailers: dict[str, str] = field(default_factory=dict)
    error: grpc.aio.AioRpcError | None = None

    def take(self, response: pb.AnimateResponse) -> None:
        kind = response.WhichOneof("response")
        if kind is None:  # a sign of life
            return
        self.order.append(kind)
        message = getattr(response, kind)
        if kind in ("started", "stats"):
            setattr(self, kind, message)
        else:
            getattr(self, f"{kind}s").append(message)


async def animate(
    cluster: Cluster,
    requests: Iterable[Any] | AsyncIterator[Any],
    answer: Answer | None = None,
) -> Answer:
    """Make a call and collect what it gives, its error included; in `answer` as it comes."""
    call = cluster.stub.Animate(timeout=30)
    writing = asyncio.create_task(_write_all(call, requests))
    answer = answer or Answer()
    try:
        while (response := await call.read()) is not grpc.aio.EOF:
            answer.take(response)
    except grpc.aio.AioRpcError as error:
        answer.error = error
    writing.cancel()
    answer.trailers = {key: str(value) for key, value in await call.trailing_metadata()}
    return answer


async def _write_all(call: Any, requests: Iterable[Any] | AsyncIterator[Any]) -> None:
    if isinstance(requests, AsyncIterator):
        async for request in requests:
            await write_message(call, request)
    else:
        for request in requests:
            await write_message(call, request)
    await call.done_writing()


def config(**fields: Any) -> pb.AnimateRequest:
    """The first message of a call with the portrait `face`."""
    if not {"portrait", "avatar_id"} & set(fields):
        fields["portrait"] = b"face"
    return pb.AnimateRequest(config=pb.AnimateConfig(**fields))


def tone(seconds: float, level: int = 8000) -> bytes:
    """S16LE speech at 16 kHz whose every sample is `level`."""
    return np.full(round(seconds * 16_000), level, "<i2").tobytes()


def speech(pcm: bytes, message_bytes: int = 6400) -> list[pb.AnimateRequest]:
    """Audio messages of a call."""
    starts = range(0, len(pcm), message_bytes)
    return [pb.AnimateRequest(audio=pcm[at : at + message_bytes]) for at in starts]


def video(encoding: str) -> types.VideoFormat:
    """A video format by the name of its encoding."""
    return types.VideoFormat(encoding=types.VideoEncoding.Value(f"VIDEO_ENCODING_{encoding}"))
