"""The motion_dit service on the wire: messages to session calls and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from ditto.errors import ProtocolError
from ditto.motion.layout import MOTION_DIM
from ditto.serving.control import control_of
from ditto.serving.face_identity import identity_of
from ditto.serving.formats import emotion_of
from ditto.serving.frames import block_of, frames_of
from ditto.serving.logging import set_call_id
from ditto.serving.requests import RequestReader
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity
from ditto.serving.stage_steps import StageBatcher, StageStep
from ditto.serving.steps import StepRunner
from ditto.stages import MotionGenerator, MotionSettings
from ditto.v1.motion_dit_pb2 import (
    GenerateConfig,
    GeneratedMotion,
    GenerateRequest,
    GenerateResponse,
)
from ditto.v1.motion_dit_pb2_grpc import (
    MotionDitServiceServicer,
)
from ditto.v1.types_pb2 import FrameBlock
from services.motion_dit.session import GeneratedFrames, MotionSession

Steps = StepRunner[StageStep[GeneratedFrames | None], GeneratedFrames | None]


class MotionDitServicer(MotionDitServiceServicer):
    """Generates the motion of several sessions in batches."""

    def __init__(
        self,
        generator: MotionGenerator[Any],
        identity: StageIdentity,
        slots: SlotPool,
        batcher: StageBatcher[GeneratedFrames | None],
        idle_seconds: float,
    ) -> None:
        self._generator = generator
        self._identity = identity
        self._slots = slots
        self._batcher = batcher
        self._idle_seconds = idle_seconds

    async def Generate(  # noqa: N802
        self, request_iterator: AsyncIterator[GenerateRequest], context: Any
    ) -> None:
        """One session."""
        reader = RequestReader(request_iterator, self._idle_seconds)
        first = await reader.first("config")
        if first.WhichOneof("request") != "config":
            raise ProtocolError("the first request must be `config`")
        set_call_id(first.config.call_id)
        with self._slots.take(first.config.moved, first.config.is_realtime):
            session = self._open(first.config)
            await self._catch_up(session, first.config)
            await context.write(GenerateResponse(accepted=self._identity.accepted()))
            steps = StepRunner(self._identity, self._slots.load, self._batcher)
            call = _Call(session, steps, self._generator.feature_dim, context)
            async for request in reader:
                await call.take(request)
            await call.finish()

    def _open(self, config: GenerateConfig) -> MotionSession:
        steps = config.sampling_steps if config.HasField("sampling_steps") else None
        settings = MotionSettings(
            seed=config.seed,
            emotion=emotion_of(config.emotion),
            emotion_intensity=config.emotion_intensity,
            sampling_steps=steps,
        )
        session = MotionSession(
            self._generator,
            self._identity.pack_hash,
            identity_of(config.identity),
            settings,
            control_of(config.control),
        )
        if config.checkpoint:
            session.resume(config.checkpoint)
        return session

    async def _catch_up(self, session: MotionSession, config: GenerateConfig) -> None:
        first_frame = config.first_frame if config.HasField("first_frame") else None
        features = np.zeros((0, self._generator.feature_dim), np.float32)
        if config.history.data:
            block = config.history
            features = frames_of(block, self._generator.feature_dim, block.first_frame)
        await asyncio.to_thread(session.catch_up, features, first_frame)


class _Call:
    """One session's way through the batches and back to the caller."""

    def __init__(
        self, session: MotionSession, steps: Steps, feature_dim: int, context: Any
    ) -> None:
        self._session = session
        self._steps = steps
        self._feature_dim = feature_dim
        self._context = context
        self._requests_taken = 0

    async def take(self, request: GenerateRequest) -> None:
        """Handle one request after the first."""
        kind = request.WhichOneof("request")
        if kind == "features":
            self._session.divide_steps(request.step_divisor)
            await self._generate(request.features)
        elif kind == "control":
            control = request.control
            from_frame = control.from_frame if control.HasField("from_frame") else None
            self._session.control(control_of(control), from_frame)
            self._requests_taken += 1
            await self._acknowledge()
        elif kind == "motion":
            motion = frames_of(request.motion, MOTION_DIM, self._session.next_index)
            self._requests_taken += 1
            await self._send(self._session.drive(motion))
        elif kind == "idle_frames":
            self._requests_taken += 1
            await self._send(self._session.idle(request.idle_frames))
        else:
            raise ProtocolError(
                "after `config` a request must be `features`, `motion`, `idle_frames` or `control`"
            )

    async def finish(self) -> None:
        """Generate what the end of the speech completes."""
        await self._send(await self._steps.run(self._session.finish()))

    async def _generate(self, block: FrameBlock) -> None:
        features = frames_of(block, self._feature_dim, self._session.features_taken)
        left = len(features)
        for piece in self._session.pieces(features):
            left -= len(piece)
            self._requests_taken += not left
            motion = await self._steps.run(self._session.take(piece, not left))
            await self._send(motion)
            if not left and motion is None:
                await self._acknowledge()

    async def _acknowledge(self) -> None:
        await self._context.write(GenerateResponse(requests_taken=self._requests_taken))

    async def _send(self, motion: GeneratedFrames | None) -> None:
        if motion is None:
            return
        message = GeneratedMotion(
            frames=block_of(motion.first_frame, motion.frames),
            timing=self._steps.timing(len(motion.frames)),
            checkpoint=motion.checkpoint,
            requests_taken=self._requests_taken,
        )
        await self._context.write(GenerateResponse(motion=message))
