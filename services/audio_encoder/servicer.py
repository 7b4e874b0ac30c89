"""The audio_encoder service on the wire: messages to session calls and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ditto.errors import ProtocolError
from ditto.serving.formats import pcm_of
from ditto.serving.frames import block_of
from ditto.serving.logging import set_call_id
from ditto.serving.requests import RequestReader
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity
from ditto.serving.stage_steps import StageBatcher, StageStep
from ditto.serving.steps import StepRunner
from ditto.stages import AudioEncoder
from ditto.v1.audio_encoder_pb2 import (
    EncodeConfig,
    EncodedFeatures,
    EncodeRequest,
    EncodeResponse,
)
from ditto.v1.audio_encoder_pb2_grpc import (
    AudioEncoderServiceServicer,
)
from services.audio_encoder.session import EncoderSession, Features

Steps = StepRunner[StageStep[Features | None], Features | None]


class AudioEncoderServicer(AudioEncoderServiceServicer):
    """Encodes the speech of several sessions in batches."""

    def __init__(
        self,
        encoder: AudioEncoder[Any],
        identity: StageIdentity,
        slots: SlotPool,
        batcher: StageBatcher[Features | None],
        idle_seconds: float,
    ) -> None:
        self._encoder = encoder
        self._identity = identity
        self._slots = slots
        self._batcher = batcher
        self._idle_seconds = idle_seconds

    async def Encode(  # noqa: N802
        self, request_iterator: AsyncIterator[EncodeRequest], context: Any
    ) -> None:
        """One session."""
        reader = RequestReader(request_iterator, self._idle_seconds)
        first = await reader.first("config")
        if first.WhichOneof("request") != "config":
            raise ProtocolError("the first request must be `config`")
        set_call_id(first.config.call_id)
        with self._slots.take(first.config.moved, first.config.is_realtime):
            session = self._open(first.config)
            await context.write(EncodeResponse(accepted=self._identity.accepted()))
            call = _Call(
                session, StepRunner(self._identity, self._slots.load, self._batcher), context
            )
            async for request in reader:
                if request.WhichOneof("request") != "audio":
                    raise ProtocolError("after `config` every request must be `audio`")
                await call.take(request.audio)
            await call.finish()

    def _open(self, config: EncodeConfig) -> EncoderSession:
        pcm = pcm_of(config.audio_format)
        session = EncoderSession(self._encoder, self._identity.pack_hash, pcm)
        if config.checkpoint:
            session.resume(config.checkpoint)
        return session


class _Call:
    """One session's way through the batches and back to the caller."""

    def __init__(self, session: EncoderSession, steps: Steps, context: Any) -> None:
        self._session = session
        self._steps = steps
        self._context = context
        self._requests_taken = 0

    async def take(self, audio: bytes) -> None:
        """Encode one message, piece by piece."""
        left = len(audio)
        for piece in self._session.pieces(audio):
            left -= len(piece)
            self._requests_taken += not left
            features = await self._steps.run(self._session.take(piece, not left))
            await self._send(features)
            if not left and features is None:
                await self._context.write(EncodeResponse(requests_taken=self._requests_taken))

    async def finish(self) -> None:
        """Encode what the end of the speech completes."""
        await self._send(await self._steps.run(self._session.finish()))

    async def _send(self, features: Features | None) -> None:
        if features is None:
            return
        message = EncodedFeatures(
            frames=block_of(features.first_frame, features.frames),
            timing=self._steps.timing(len(features.frames)),
            checkpoint=features.checkpoint,
            requests_taken=self._requests_taken,
            samples_taken=self._session.samples_taken,
        )
        await self._context.write(EncodeResponse(features=message))
