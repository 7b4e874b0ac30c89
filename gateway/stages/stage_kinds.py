"""What is particular to each stage: how a session begins on a replica, and what moves with it.

A session that goes on has a checkpoint and the requests since. One whose checkpoint another
replica cannot read (an upgrade lies between) starts over instead: the encoder hears the last
seconds again, the motion stage follows the features of the last seconds again, a renderer keeps no
state and only needs the portrait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message

from ditto.errors import AtCapacityError, StageUnavailableError
from ditto.serving.tracing import trace_metadata
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1.audio_encoder_pb2_grpc import AudioEncoderServiceStub
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from gateway.call.motion_history import MotionHistory
from gateway.resume.resume_ledger import ResumeLedger
from gateway.stages.frame_blocks import cut_before, frames_in
from gateway.stages.heard_speech import HeardSpeech
from gateway.stages.replicas import Replica
from gateway.stages.session_log import SessionLog
from gateway.stages.stage_stream import StageStream

AudioStream = StageStream[audio_pb.EncodeRequest, audio_pb.EncodeResponse]
MotionStream = StageStream[motion_pb.GenerateRequest, motion_pb.GenerateResponse]
RenderStream = StageStream[render_pb.RenderRequest, render_pb.RenderResponse]

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")
Anything = TypeVar("Anything", bound=Message)

_NOTHING = range(0)


class StageKind(Protocol[Request, Response]):
    """One stage of one call."""

    module: str
    log: SessionLog[Request]
    first_frame: int
    """Index of the first frame that the stage gives."""

    async def open(
        self, replica: Replica, next_frame: int, starts_over: bool
    ) -> StageStream[Request, Response]:
        """A granted stream, on which frames from `next_frame` on are wanted.

        Raises `AtCapacityError` and `StageUnavailableError` where another replica may do, and
        `ProtocolError` for a checkpoint that this one cannot read.
        """

    def replay(self, next_frame: int, starts_over: bool) -> Iterable[Request] | None:
        """The requests that such a stream needs; None for those of the log as they are."""

    def sent(self, request: Request) -> None:
        """A request goes to the stage for the first time."""

    def accept(self, reply: Response, base: int, next_frame: int) -> range:
        """Take note of a reply to a stream that began behind `base` requests, and cut what was
        received before. The indices of the frames that are left in it."""


class AudioKind:
    """Speech to features."""

    module = "audio_encoder"

    def __init__(
        self,
        config: audio_pb.EncodeConfig,
        origin: int,
        first_frame: int,
        accept_s: float,
        ledger: ResumeLedger,
    ) -> None:
        """`origin` is the call's frame that the encoder counts as its first."""
        self.log: SessionLog[audio_pb.EncodeRequest] = SessionLog()
        self._config = config
        self._accept_s = accept_s
        self.first_frame = first_frame
        self._heard = HeardSpeech(first_frame)
        self._ledger = ledger
        self._origin = origin

    async def open(self, replica: Replica, next_frame: int, starts_over: bool) -> AudioStream:
        config = _copy(self._config)
        config.moved |= bool(self.log.end)
        config.checkpoint = b"" if starts_over else self.log.checkpoint or config.checkpoint
        call = _stub(AudioEncoderServiceStub, replica).Encode(metadata=trace_metadata())
        stream: AudioStream = StageStream(self.module, replica, call)
        async with granting(stream, self._accept_s):
            await stream.send(audio_pb.EncodeRequest(config=config))
            stream.session = (await stream.reply()).accepted
        return stream

    def replay(self, next_frame: int, starts_over: bool) -> Iterable[audio_pb.EncodeRequest] | None:
        if not starts_over:
            return None
        self._config.ClearField("checkpoint")
        self._origin, audio = self._heard.again()
        return [audio_pb.EncodeRequest(audio=audio)] if audio else []

    def sent(self, request: audio_pb.EncodeRequest) -> None:
        self._heard.add(request.audio)

    def accept(self, reply: audio_pb.EncodeResponse, base: int, next_frame: int) -> range:
        if not reply.HasField("features"):
            self.log.answer(base + reply.requests_taken, 0)
            return _NOTHING
        features = reply.features
        features.frames.first_frame += self._origin
        taken = base + features.requests_taken
        self.log.answer(taken, taken if features.checkpoint else 0, features.checkpoint)
        frames = cut_before(features.frames, next_frame)
        self._heard.forget(frames.stop)
        self._ledger.encoded(features, self._origin, frames.stop)
        return frames


class MotionKind:
    """Features to motion."""

    module = "motion_dit"

    def __init__(
        self,
        config: motion_pb.GenerateConfig,
        history: MotionHistory,
        first_frame: int,
        accept_s: float,
    ) -> None:
        self.log: SessionLog[motion_pb.GenerateRequest] = SessionLog()
        self.first_frame = first_frame
        self._config = config
        self._history = history
        self._accept_s = accept_s

    async def open(self, replica: Replica, next_frame: int, starts_over: bool) -> MotionStream:
        call = _stub(MotionDitServiceStub, replica).Generate(metadata=trace_metadata())
        stream: MotionStream = StageStream(self.module, replica, call)
        async with granting(stream, self._accept_s):
            config = self._begin(next_frame, starts_over)
            await stream.send(motion_pb.GenerateRequest(config=config))
            stream.session = (await stream.reply()).accepted
        return stream

    def replay(
        self, next_frame: int, starts_over: bool
    ) -> Iterable[motion_pb.GenerateRequest] | None:
        if not starts_over:
            return None
        self._config = self._begin(next_frame, starts_over)
        return self._history.inputs_after(next_frame, self.log.requests)

    def sent(self, request: motion_pb.GenerateRequest) -> None:
        self._history.sent(request)

    def accept(self, reply: motion_pb.GenerateResponse, base: int, next_frame: int) -> range:
        if not reply.HasField("motion"):
            self.log.answer(base + reply.requests_taken, 0)
            return _NOTHING
        motion = reply.motion
        motion.requests_taken += base
        covered = motion.requests_taken if motion.checkpoint else 0
        self.log.answer(motion.requests_taken, covered, motion.checkpoint)
        frames = cut_before(motion.frames, next_frame)
        if frames:
            self._history.received(frames.stop, motion)
        return frames

    def _begin(self, next_frame: int, starts_over: bool) -> motion_pb.GenerateConfig:
        config = _copy(self._config)
        config.moved |= bool(self.log.end)
        if starts_over:
            self._history.start_over(config, next_frame)
        elif self.log.checkpoint:
            config.checkpoint = self.log.checkpoint
            config.ClearField("history")
            config.ClearField("first_frame")
        return config


class RenderKind:
    """Motion to pictures. A session begins with whatever frame it is sent first."""

    module = "renderer"

    def __init__(
        self,
        config: render_pb.RenderConfig,
        portrait: bytes,
        first_frame: int,
        accept_s: float,
        prepare_s: float,
    ) -> None:
        self.log: SessionLog[render_pb.RenderRequest] = SessionLog()
        self.first_frame = first_frame
        self.rendering = render_pb.RenderAccepted()
        """What the renderer said of the frames to come; it holds for the whole call."""
        self._config = config
        self._portrait = portrait
        self._accept_s = accept_s
        self._prepare_s = prepare_s

    async def open(self, replica: Replica, next_frame: int, starts_over: bool) -> RenderStream:
        config = _copy(self._config)
        config.moved |= bool(self.log.end)
        if starts_over:  # another pack: what it makes of the portrait has another key
            config.content_key = ""
        call = _stub(RendererServiceStub, replica).Render(metadata=trace_metadata())
        stream: RenderStream = StageStream(self.module, replica, call)
        async with granting(stream, self._accept_s + self._prepare_s):
            await stream.send(render_pb.RenderRequest(config=config))
            reply = await stream.reply()
            if reply.HasField("portrait_needed"):
                await stream.send(render_pb.RenderRequest(portrait=self._portrait))
                reply = await stream.reply()
            self._check_size(stream, reply.accepted)
            stream.session = reply.accepted.session
        return stream

    def replay(
        self, next_frame: int, starts_over: bool
    ) -> Iterable[render_pb.RenderRequest] | None:
        """From the frame that is wanted on: it is the key frame of the new stream."""
        copies = [_copy(request) for request in self.log.requests]
        return [request for request in copies if cut_before(request.motion, next_frame)]

    def sent(self, request: render_pb.RenderRequest) -> None:
        """The log keeps all that is needed."""

    def accept(self, reply: render_pb.RenderResponse, base: int, next_frame: int) -> range:
        frames = range(reply.frame.index, reply.frame.index + 1)
        block = self.log.first
        if block is not None and frames_in(block.motion).stop == frames.stop:
            done = self.log.covered + 1
            self.log.answer(done, done)
        return frames

    def _check_size(self, stream: RenderStream, accepted: render_pb.RenderAccepted) -> None:
        first, size = self.rendering, (accepted.width, accepted.height)
        if first.width and size != (first.width, first.height):
            raise AtCapacityError(
                f"{stream.peer}: renders {size[0]}x{size[1]} pixels, "
                f"but the call began with {first.width}x{first.height}"
            )
        self.rendering = accepted


def _stub(kind: Callable[[Any], Any], replica: Replica) -> Any:
    return kind(replica.channel)


def _copy(message: Anything) -> Anything:
    return type(message).FromString(message.SerializeToString())


@asynccontextmanager
async def granting(stream: StageStream[Any, Any], limit_s: float) -> AsyncIterator[None]:
    """Close a stream that is not granted, and take silence for a refusal."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        stream.close()
        raise StageUnavailableError(f"{stream.peer}: no answer in {limit_s:g} s") from None
    except BaseException:
        stream.close()
        raise
