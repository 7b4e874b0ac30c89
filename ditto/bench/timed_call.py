"""One call as a caller with a microphone makes it, with the moment at which each frame arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ditto.v1.animation_pb2 import AnimateConfig, AnimateRequest, CallStats
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

SAMPLE_RATE_HZ = 16_000
_PIECE_S = 0.02
_PIECE_BYTES = 2 * int(SAMPLE_RATE_HZ * _PIECE_S)
_LATE_FRAMES = 1.0


@dataclass
class TimedCall:
    """What a caller saw."""

    frame_rate: int = 25
    arrivals_s: list[float] = field(default_factory=list)
    """When each frame came, on the monotonic clock."""
    received_bytes: int = 0
    stats: CallStats = field(default_factory=CallStats)

    def late_frames(self) -> int:
        """Frames that came more than a frame's time after their place on the best clock.

        That clock is the earliest at which any frame of the call arrived, so a player that starts
        one frame's time after it shows every other frame when it should.
        """
        offsets = [at - index / self.frame_rate for index, at in enumerate(self.arrivals_s)]
        latest_s = min(offsets, default=0.0) + _LATE_FRAMES / self.frame_rate
        return sum(offset > latest_s for offset in offsets)


async def make_call(
    service: AnimationServiceStub, config: AnimateConfig, pcm: bytes, start_s: float
) -> TimedCall:
    """Start at a moment of the monotonic clock, speak 16 kHz s16le at its own pace, take all.

    Raises what the server raised, as `grpc.RpcError`.
    """
    await asyncio.sleep(max(0.0, start_s - time.monotonic()))
    call = TimedCall()
    async for response in service.Animate(_speech(config, pcm)):
        match response.WhichOneof("response"):
            case "started":
                call.frame_rate = response.started.config.frame_rate or call.frame_rate
            case "frame":
                call.arrivals_s.append(time.monotonic())
                call.received_bytes += len(response.frame.data)
            case "stats":
                call.stats = response.stats
    return call


async def _speech(config: AnimateConfig, pcm: bytes) -> AsyncIterator[AnimateRequest]:
    yield AnimateRequest(config=config)
    due_s = time.monotonic()
    for start in range(0, len(pcm), _PIECE_BYTES):
        due_s += _PIECE_S
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        yield AnimateRequest(audio=pcm[start : start + _PIECE_BYTES])
