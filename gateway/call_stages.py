"""The three stage streams of one call: all three granted, or none kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ditto.errors import AtCapacityError, StageUnavailableError
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1.audio_encoder_pb2_grpc import AudioEncoderServiceStub
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from gateway.replicas import Replica, ReplicaPool
from gateway.stage_stream import StageStream

_REOPEN_TRIES = 50
_REOPEN_WAIT_S = 0.02

AudioStream = StageStream[audio_pb.EncodeRequest, audio_pb.EncodeResponse]
MotionStream = StageStream[motion_pb.GenerateRequest, motion_pb.GenerateResponse]
RenderStream = StageStream[render_pb.RenderRequest, render_pb.RenderResponse]


@dataclass(frozen=True)
class StagePools:
    """The replicas of each stage."""

    audio_encoder: ReplicaPool
    motion_dit: ReplicaPool
    renderer: ReplicaPool

    def __iter__(self) -> Iterator[ReplicaPool]:
        return iter((self.audio_encoder, self.motion_dit, self.renderer))


@dataclass(frozen=True)
class StageConfigs:
    """What each stage is told when a session starts, and the portrait that may be asked for."""

    pack: str
    audio: audio_pb.EncodeConfig
    motion: motion_pb.GenerateConfig
    render: render_pb.RenderConfig
    portrait: bytes


class CallStages:
    """Opens the three streams together, and closes every one that was ever opened."""

    audio: AudioStream
    motion: MotionStream
    render: RenderStream
    rendering: render_pb.RenderAccepted
    """What the renderer said of the frames to come."""

    def __init__(self, accept_s: float, prepare_s: float) -> None:
        """Longest waits for a stage to accept, and for a renderer that must prepare first."""
        self._accept_s = accept_s
        self.prepare_s = prepare_s
        self._opened: list[StageStream[Any, Any]] = []

    async def open(self, pools: StagePools, configs: StageConfigs) -> None:
        """Take a slot in each stage, on whichever replica has one.

        Raises `AtCapacityError` when a stage is full, `StageUnavailableError` when one is gone.
        """
        pack = configs.pack
        outcomes = await asyncio.gather(
            pools.audio_encoder.first_that(pack, lambda at: self._open_audio(at, configs.audio)),
            pools.motion_dit.first_that(pack, lambda at: self._open_motion(at, configs.motion)),
            pools.renderer.first_that(pack, lambda at: self._open_render(at, configs)),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                self.close()
                raise outcome

    def close(self) -> None:
        """Free every slot that was taken."""
        for stream in self._opened:
            stream.close()

    async def reopen(self, pools: StagePools, configs: StageConfigs) -> None:
        """Begin anew with all three. The slots were just freed: one that is not yet free is waited
        for. Raises `AtCapacityError` when another call was faster."""
        self.close()
        self._opened.clear()
        for _ in range(_REOPEN_TRIES - 1):
            try:
                return await self.open(pools, configs)
            except AtCapacityError:
                await asyncio.sleep(_REOPEN_WAIT_S)
        await self.open(pools, configs)
        return None

    def first_lost(self, missed_polls: int) -> StageStream[Any, Any] | None:
        """A stream whose replica has missed so many polls in a row."""
        missed = (s for s in self._opened if s.is_live and s.replica.missed_polls >= missed_polls)
        return next(missed, None)

    async def _open_audio(self, replica: Replica, config: audio_pb.EncodeConfig) -> None:
        call = AudioEncoderServiceStub(replica.channel).Encode()  # type: ignore[no-untyped-call]
        stream: AudioStream = StageStream("audio_encoder", replica, call)
        async with self._granting(stream, self._accept_s):
            await stream.send(audio_pb.EncodeRequest(config=config))
            stream.session = (await stream.reply()).accepted
        self.audio = stream

    async def _open_motion(self, replica: Replica, config: motion_pb.GenerateConfig) -> None:
        call = MotionDitServiceStub(replica.channel).Generate()  # type: ignore[no-untyped-call]
        stream: MotionStream = StageStream("motion_dit", replica, call)
        async with self._granting(stream, self._accept_s):
            await stream.send(motion_pb.GenerateRequest(config=config))
            stream.session = (await stream.reply()).accepted
        self.motion = stream

    async def _open_render(self, replica: Replica, configs: StageConfigs) -> None:
        call = RendererServiceStub(replica.channel).Render()  # type: ignore[no-untyped-call]
        stream: RenderStream = StageStream("renderer", replica, call)
        async with self._granting(stream, self._accept_s + self.prepare_s):
            await stream.send(render_pb.RenderRequest(config=configs.render))
            reply = await stream.reply()
            if reply.HasField("portrait_needed"):
                await stream.send(render_pb.RenderRequest(portrait=configs.portrait))
                reply = await stream.reply()
            stream.session = reply.accepted.session
        self.render, self.rendering = stream, reply.accepted

    @asynccontextmanager
    async def _granting(self, stream: StageStream[Any, Any], limit_s: float) -> AsyncIterator[None]:
        """Close a stream that is not granted, and take silence for a refusal."""
        self._opened.append(stream)
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            stream.close()
            raise StageUnavailableError(f"{stream.peer}: no answer in {limit_s:g} s") from None
        except BaseException:
            stream.close()
            raise
