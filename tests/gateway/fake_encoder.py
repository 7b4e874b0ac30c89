"""An audio encoder that obeys the contract, with arithmetic in place of a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from ditto.serving.frames import block_of
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import audio_encoder_pb2_grpc as audio_grpc
from tests.gateway.fake_stage import FRAME_SAMPLES, FakeStage, checkpoint_of, resumed, timing

HOP_FRAMES = 5
LOOK_AHEAD_SAMPLES = 1280


class FakeEncoder(audio_grpc.AudioEncoderServiceServicer):
    """A feature frame is the loudest sample of its 40 ms."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage

    async def Encode(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        first = await anext(request_iterator)
        self._stage.configs.append(first.config)
        assert first.config.audio_format.sample_rate_hz == 16_000
        told = first.config
        with self._stage.slots.take(told.moved, is_realtime=told.is_realtime):
            await asyncio.sleep(self._stage.faults.accept_delay_s)
            session = _Encoding(self._stage, told.checkpoint, context)
            accepted = self._stage.identity.accepted()
            await context.write(audio_pb.EncodeResponse(accepted=accepted))
            async for request in request_iterator:
                self._stage.requests.append(request)
                await session.take(np.frombuffer(request.audio, "<i2"))
            await session.finish()


class _Encoding:
    """One session: the samples from frame `done` on."""

    def __init__(self, stage: FakeStage, checkpoint: bytes, context: Any) -> None:
        self._stage = stage
        self._context = context
        self._samples, self._done, self._taken = np.zeros(0, "<i2"), 0, 0
        if checkpoint:
            (done,), rest = resumed(checkpoint, stage.identity)
            self._samples, self._done = np.frombuffer(rest, "<i2"), int(done)

    async def take(self, samples: np.ndarray) -> None:
        self._samples = np.append(self._samples, samples)
        ready = len(self._samples) >= HOP_FRAMES * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES
        while len(self._samples) >= HOP_FRAMES * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES:
            more = len(self._samples) - HOP_FRAMES * FRAME_SAMPLES
            is_last = more < HOP_FRAMES * FRAME_SAMPLES + LOOK_AHEAD_SAMPLES
            self._taken += is_last
            await self._reply(HOP_FRAMES, has_checkpoint=is_last)
        if not ready:
            self._taken += 1
            await self._context.write(audio_pb.EncodeResponse(requests_taken=self._taken))

    async def finish(self) -> None:
        if rest := -(-len(self._samples) // FRAME_SAMPLES):
            await self._reply(rest, has_checkpoint=False)

    async def _reply(self, frames: int, has_checkpoint: bool) -> None:
        first = self._done
        await self._stage.before(first)
        cut = self._samples[: frames * FRAME_SAMPLES]
        padded = np.zeros(frames * FRAME_SAMPLES)
        padded[: len(cut)] = np.abs(cut.astype(float))
        self._done += frames
        self._samples = self._samples[frames * FRAME_SAMPLES :]
        state = checkpoint_of(self._stage.identity, [self._done], self._samples.tobytes())
        features = audio_pb.EncodedFeatures(
            frames=block_of(first, padded.reshape(frames, -1).max(axis=1, keepdims=True)),
            timing=timing(),
            checkpoint=state if has_checkpoint else b"",
            requests_taken=self._taken,
            samples_taken=self._done * FRAME_SAMPLES + len(self._samples),
        )
        await self._context.write(audio_pb.EncodeResponse(features=features))
