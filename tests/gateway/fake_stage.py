"""One replica of a stage without networks: what a test may look at, and make go wrong.

What a frame shows can be told from its bytes: the loudest sample of the speech it belongs to.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from grpc_health.v1.health import aio as async_health

from ditto.errors import ProtocolError
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity
from ditto.v1 import types_pb2 as types

FRAME_SAMPLES = 640
COMPUTE_US = 10_000


@dataclass
class Faults:
    """What goes wrong, and how slowly. Where replicas share one, a fault strikes the first."""

    accept_delay_s: float = 0.0
    """Before a session is accepted."""
    step_delay_s: float = 0.0
    """Before each reply."""
    die_at_frame: int | None = None
    """The whole server is gone when this frame is its turn."""
    hang_at_frame: int | None = None
    """No reply from this frame on."""
    raise_at_frame: tuple[int, Exception] | None = None
    """This frame fails."""
    skip_frame: int | None = None
    """A frame that is left out."""
    is_stopped: bool = False
    """Nothing is answered any more, as by a process under SIGSTOP."""


@dataclass
class FakeStage:
    """One replica: a gRPC server and what a test may look at."""

    module: str
    slots: SlotPool
    identity: StageIdentity
    faults: Faults = field(default_factory=Faults)
    requests: list[Any] = field(default_factory=list)
    """Everything that was received on session streams."""
    configs: list[Any] = field(default_factory=list)
    """What each session was told first."""
    cached: set[str] = field(default_factory=set)
    """Renderer: content keys whose features it holds."""
    prepared: list[str] = field(default_factory=list)
    """Renderer: content keys in the order of the requests to prepare them."""
    is_stopped: bool = False
    """Nothing is answered any more, as by a process under SIGSTOP."""
    address: str = ""
    server: Any = None
    health: Any = field(default_factory=async_health.HealthServicer)

    async def before(self, frame: int) -> None:
        """Act out the faults that are due before a frame is answered."""
        if self.faults.step_delay_s:
            await asyncio.sleep(self.faults.step_delay_s)
        if self.faults.die_at_frame is not None and frame >= self.faults.die_at_frame:
            self.faults.die_at_frame = None
            asyncio.get_running_loop().create_task(self.server.stop(None))
            await asyncio.sleep(10)
        if self.faults.hang_at_frame is not None and frame >= self.faults.hang_at_frame:
            self.faults.hang_at_frame = None
            await asyncio.sleep(3600)
        if self.is_stopped or self.faults.is_stopped:
            await asyncio.sleep(3600)
        if self.faults.raise_at_frame and frame >= self.faults.raise_at_frame[0]:
            raise self.faults.raise_at_frame[1]


def timing() -> types.StepTiming:
    """What each step says that it took."""
    return types.StepTiming(compute_us=COMPUTE_US, queue_us=100, batch_size=1)


def resumed(checkpoint: bytes, identity: StageIdentity) -> tuple[list[float], bytes]:
    """Numbers and bytes of a checkpoint; those of another pack are refused."""
    head, _, rest = checkpoint.partition(b"|")
    pack_hash, *numbers = json.loads(head)
    if pack_hash != identity.pack_hash:
        raise ProtocolError(f"checkpoint: of {pack_hash}; start without it and replay")
    return numbers, rest


def checkpoint_of(identity: StageIdentity, numbers: list[float], rest: bytes = b"") -> bytes:
    """Numbers and bytes to go on with."""
    return json.dumps([identity.pack_hash, *numbers]).encode() + b"|" + rest
