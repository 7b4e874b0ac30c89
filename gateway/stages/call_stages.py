"""The three stage sessions of one call: all three granted, or none kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ditto.errors import AtCapacityError, DittoError, StageUnavailableError
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from gateway.call.motion_history import MotionHistory
from gateway.config import GatewayConfig
from gateway.resume.resume_ledger import ResumeLedger
from gateway.stages.failover import StageSession
from gateway.stages.moves import FailoverLimits, Move
from gateway.stages.replicas import ReplicaPool
from gateway.stages.stage_kinds import AudioKind, MotionKind, RenderKind

_REOPEN_WAIT_S = 0.02
_FAST_PATIENCE = 2
"""Steps of a FAST call wait behind those that are due, so that its replica may be silent longer."""

AudioSession = StageSession[audio_pb.EncodeRequest, audio_pb.EncodeResponse]
MotionSession = StageSession[motion_pb.GenerateRequest, motion_pb.GenerateResponse]
RenderSession = StageSession[render_pb.RenderRequest, render_pb.RenderResponse]


@dataclass(frozen=True)
class StagePools:
    """The replicas of each stage."""

    audio_encoder: ReplicaPool
    motion_dit: ReplicaPool
    renderer: ReplicaPool

    def __iter__(self) -> Iterator[ReplicaPool]:
        return iter((self.audio_encoder, self.motion_dit, self.renderer))

    def of(self, asked: pb.AnimateConfig) -> list[ReplicaPool]:
        """Those that a call takes part of: one that motion drives has nothing to encode."""
        drives = asked.driving == types.DRIVING_MOTION
        return [pool for pool in self if not (drives and pool is self.audio_encoder)]


@dataclass(frozen=True)
class FirstFrames:
    """Where the sessions of a call begin: 0, unless it goes on after an interrupt or elsewhere."""

    origin: int = 0
    """The call's frame that the encoder counts as its first."""
    features: int = 0
    """First frame that the encoder gives."""
    motion: int = 0
    """First frame that the motion stage gives."""
    pictures: int = 0
    """First frame that the renderer gives; motion before it is not rendered again."""


@dataclass(frozen=True)
class StageConfigs:
    """What each stage is told when a session starts, and the portrait that may be asked for."""

    pack: str
    audio: audio_pb.EncodeConfig | None
    """None where the caller sends motion."""
    motion: motion_pb.GenerateConfig
    render: render_pb.RenderConfig
    portrait: bytes
    first: FirstFrames = FirstFrames()


class CallStages:
    """Opens the three sessions together, and closes every one that was ever opened."""

    audio: AudioSession | None
    motion: MotionSession
    render: RenderSession

    def __init__(self, config: GatewayConfig) -> None:
        self.prepare_s = config.prepare_seconds
        """Longest wait for a renderer that must prepare the portrait first."""
        self.ledger = ResumeLedger()
        """Where the call could go on at another gateway."""
        self.history = MotionHistory(self.ledger)
        """What a motion session may go back to."""
        self._accept_s = config.accept_seconds
        self._limits = FailoverLimits(
            config.hang_seconds, config.missed_polls, config.failover_seconds
        )
        self._rendering: RenderKind
        self.sessions: list[StageSession[Any, Any]] = []
        """Those of the stages that take part."""
        self._past_moves: list[Move] = []

    @property
    def rendering(self) -> render_pb.RenderAccepted:
        """What the renderer said of the frames to come."""
        return self._rendering.rendering

    async def open(self, pools: StagePools, configs: StageConfigs) -> None:
        """Take a slot in each stage, on whichever replica has one.

        Raises `AtCapacityError` when a stage is full, `StageUnavailableError` when one is gone.
        """
        pack, first = configs.pack, configs.first
        limits = self._limits
        if not configs.render.is_realtime:
            limits = replace(limits, hang_s=_FAST_PATIENCE * limits.hang_s)
        moving = MotionKind(configs.motion, self.history, first.motion, self._accept_s)
        self._rendering = RenderKind(
            configs.render, configs.portrait, first.pictures, self._accept_s, self.prepare_s
        )
        self.audio = None
        if configs.audio is not None:
            hearing = AudioKind(
                configs.audio, first.origin, first.features, self._accept_s, self.ledger
            )
            self.audio = StageSession(hearing, pools.audio_encoder, pack, limits)
        self.motion = StageSession(moving, pools.motion_dit, pack, limits)
        self.render = StageSession(self._rendering, pools.renderer, pack, limits)
        every = (self.audio, self.motion, self.render)
        self.sessions = [session for session in every if session is not None]
        outcomes = await asyncio.gather(
            *(session.open() for session in self.sessions), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                self.close()
                raise outcome

    def close(self) -> None:
        """Free every slot that was taken."""
        for session in self.sessions:
            session.close()

    async def reopen(self, pools: StagePools, configs: StageConfigs) -> None:
        """Begin anew with all three, in place of slots that were just freed: one that is not yet
        free, or a replica that has just gone, is waited for. Raises `AtCapacityError` when another
        call was faster, `StageUnavailableError` when a stage stays away."""
        self.close()
        self._past_moves = self.take_moves()
        for told in (configs.audio, configs.motion, configs.render):
            if told is not None:
                told.moved = True
        refusal: DittoError = StageUnavailableError("the stages did not answer")
        try:
            async with asyncio.timeout(self._limits.search_s):
                while True:
                    try:
                        return await self.open(pools, configs)
                    except (AtCapacityError, StageUnavailableError) as error:
                        refusal = error
                    await asyncio.sleep(_REOPEN_WAIT_S)
        except TimeoutError:
            self.close()
            raise refusal from None

    def take_moves(self) -> list[Move]:
        """The sessions that went to other replicas since this was last asked."""
        moves, self._past_moves = self._past_moves, []
        for session in self.sessions:
            moves += session.moves
            session.moves.clear()
        return moves
