"""What every stage service is made of: its identity, slots, and the process around its servicer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ditto import __version__
from ditto.serving import metrics
from ditto.serving.slots import SlotPool
from ditto.v1 import stage_status_pb2, stage_status_pb2_grpc
from ditto.v1.types_pb2 import SessionAccepted

STATUS_SERVICE = "ditto.v1.StageStatusService"


@dataclass(frozen=True)
class StageIdentity:
    """What a replica is: the constant part of its status."""

    module: str
    replica: str
    pack: str
    pack_version: str
    pack_hash: str
    frame_rate: int

    def accepted(self) -> SessionAccepted:
        """First reply of a session that got its slot."""
        return SessionAccepted(replica=self.replica, pack_hash=self.pack_hash)


@dataclass
class StageService:
    """A loaded stage as a `ditto.serving.server.Service`."""

    identity: StageIdentity
    slots: SlotPool
    name: str
    """Full name of the stage's own gRPC service."""
    register_stage: Callable[[Any], None]
    """Adds the stage's servicer to a server."""
    status: dict[str, Any] = field(default_factory=dict)
    """Fields of the status that only this stage has."""
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    """Called last."""

    @property
    def service_names(self) -> tuple[str, ...]:
        """Full names of the gRPC services."""
        return (self.name, STATUS_SERVICE)

    def register(self, server: Any) -> None:
        """Add both servicers, and say in the metrics what runs."""
        identity = self.identity
        metrics.BUILD_INFO.labels(__version__, identity.pack, identity.pack_hash).set(1)
        self.register_stage(server)
        stage_status_pb2_grpc.add_StageStatusServiceServicer_to_server(  # type: ignore[no-untyped-call]
            StageStatusServicer(self), server
        )

    async def drain(self, deadline_s: float) -> None:
        """Refuse new sessions; return when the live ones have ended."""
        await self.slots.drain()

    async def close(self) -> None:
        """Free what the stage holds."""
        for close in self.closers:
            await close()


class StageStatusServicer(stage_status_pb2_grpc.StageStatusServiceServicer):
    """Answers how busy this process is."""

    def __init__(self, stage: StageService) -> None:
        self._stage = stage

    async def GetStageStatus(  # noqa: N802
        self, request: stage_status_pb2.GetStageStatusRequest, context: Any
    ) -> stage_status_pb2.GetStageStatusResponse:
        """The present load."""
        identity, slots = self._stage.identity, self._stage.slots
        return stage_status_pb2.GetStageStatusResponse(
            module=identity.module,
            replica=identity.replica,
            pack=identity.pack,
            pack_version=identity.pack_version,
            pack_hash=identity.pack_hash,
            live_sessions=slots.live,
            free_slots=slots.free,
            draining=slots.draining,
            realtime_sessions=slots.realtime,
            session_load=slots.load.session_load,
            frame_rate=identity.frame_rate,
            **self._stage.status,
        )
