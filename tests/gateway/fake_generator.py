"""A motion stage that obeys the contract, with arithmetic in place of a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from ditto.errors import ProtocolError
from ditto.serving.frames import block_of
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import motion_dit_pb2_grpc as motion_grpc
from tests.gateway.fake_stage import FakeStage, checkpoint_of, resumed, timing


class FakeGenerator(motion_grpc.MotionDitServiceServicer):
    """Motion is the features times the mouth's gain, or the change since the first motion."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage

    async def Generate(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        first = await anext(request_iterator)
        self._stage.requests.append(first)
        self._stage.configs.append(first.config)
        told = first.config
        with self._stage.slots.take(told.moved, is_realtime=told.is_realtime):
            await asyncio.sleep(self._stage.faults.accept_delay_s)
            session = _Generating(self._stage, told, context)
            accepted = self._stage.identity.accepted()
            await context.write(motion_pb.GenerateResponse(accepted=accepted))
            async for request in request_iterator:
                self._stage.requests.append(request)
                await session.take(request)


class _Generating:
    """One session: the next frame, the gain, and the first number of the first motion."""

    def __init__(self, stage: FakeStage, config: Any, context: Any) -> None:
        self._stage = stage
        self._context = context
        self._next, self._gain, self._base = 0, 1.0, float("nan")
        self._taken = 0
        if config.control.HasField("mouth_gain"):
            self._gain = config.control.mouth_gain
        if config.checkpoint:
            (following, self._gain, self._base), _ = resumed(config.checkpoint, stage.identity)
            self._next = int(following)
        if config.HasField("first_frame"):
            self._next = config.first_frame

    async def take(self, request: Any) -> None:
        self._taken += 1
        if request.HasField("control"):
            if request.control.HasField("mouth_gain"):
                self._gain = request.control.mouth_gain
            await self._context.write(motion_pb.GenerateResponse(requests_taken=self._taken))
            return
        block = request.features if request.HasField("features") else request.motion
        if block.first_frame != self._next:
            raise ProtocolError(f"frame {block.first_frame} where {self._next} comes next")
        rows = np.frombuffer(block.data, "<f4").reshape(-1, block.dim)[:, :1]
        if request.HasField("motion"):
            self._base = rows[0, 0] if np.isnan(self._base) else self._base
            rows = rows - self._base
        await self._stage.before(self._next)
        self._next += len(rows)
        numbers = [self._next, self._gain, float(self._base)]
        motion = motion_pb.GeneratedMotion(
            frames=block_of(block.first_frame, rows * self._gain),
            timing=timing(),
            checkpoint=checkpoint_of(self._stage.identity, numbers),
            requests_taken=self._taken,
        )
        await self._context.write(motion_pb.GenerateResponse(motion=motion))
