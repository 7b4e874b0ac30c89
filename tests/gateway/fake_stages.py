"""Servers of fake stages, on real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ditto.serving.interceptor import CallInterceptor
from ditto.serving.server import MAX_RECEIVE_BYTES
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity, StageService, StageStatusServicer
from ditto.v1.audio_encoder_pb2_grpc import add_AudioEncoderServiceServicer_to_server
from ditto.v1.motion_dit_pb2_grpc import add_MotionDitServiceServicer_to_server
from ditto.v1.renderer_pb2_grpc import add_RendererServiceServicer_to_server
from ditto.v1.stage_status_pb2_grpc import add_StageStatusServiceServicer_to_server
from tests.gateway.fake_encoder import FakeEncoder
from tests.gateway.fake_generator import FakeGenerator
from tests.gateway.fake_renderer import FakeRenderer
from tests.gateway.fake_stage import FakeStage

_OPTIONS = [("grpc.max_receive_message_length", MAX_RECEIVE_BYTES), ("grpc.so_reuseport", 0)]
_SERVICERS = {
    "audio_encoder": (FakeEncoder, add_AudioEncoderServiceServicer_to_server),
    "motion_dit": (FakeGenerator, add_MotionDitServiceServicer_to_server),
    "renderer": (FakeRenderer, add_RendererServiceServicer_to_server),
}


async def start_stage(
    module: str,
    replica: int = 0,
    slots: int = 4,
    pack: str = "starter",
    port: int = 0,
    credentials: grpc.ServerCredentials | None = None,
    pack_hash: str = "",
    reserved: int = 2,
) -> FakeStage:
    """Start one replica on a free port."""
    pack_hash = pack_hash or f"{pack}-hash"
    identity = StageIdentity(module, f"{module}-{replica}", pack, "1.0", pack_hash, 25)
    stage = FakeStage(module, SlotPool(module, slots, reserved), identity)
    server = grpc.aio.server(interceptors=[CallInterceptor(lambda: True)], options=_OPTIONS)
    servicer, add = _SERVICERS[module]
    add(servicer(stage), server)
    waits = {"first_frame_audio_ms": 280.0, "hop_ms": 200.0} if module == "audio_encoder" else {}
    service = StageService(stage.identity, stage.slots, module, lambda _: None, status=waits)
    add_StageStatusServiceServicer_to_server(FakeStatus(service, stage), server)
    await stage.health.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(stage.health, server)
    stage.address = f"127.0.0.1:{listen(server, port, credentials)}"
    stage.server = server
    await server.start()
    return stage


def listen(server: Any, port: int, credentials: grpc.ServerCredentials | None) -> int:
    """Bind a port of this machine, any free one for 0; gives its number."""
    address = f"127.0.0.1:{port}"
    bound: int = (
        server.add_secure_port(address, credentials)
        if credentials
        else server.add_insecure_port(address)
    )
    return bound


class FakeStatus(StageStatusServicer):
    """The real status, unless the process is stopped."""

    def __init__(self, service: StageService, stage: FakeStage) -> None:
        super().__init__(service)
        self._fake = stage

    async def GetStageStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        if self._fake.is_stopped or self._fake.faults.is_stopped:
            await asyncio.sleep(3600)
        return await super().GetStageStatus(request, context)
