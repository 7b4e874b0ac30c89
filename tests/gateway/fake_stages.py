"""Stage servers that obey the contracts on real sockets, with arithmetic in place of networks.

What a frame shows can be told from its bytes: the loudest sample of the speech it belongs to.
Faults and delays are set on the stage while it runs.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as async_health

from ditto.errors import AvatarNotFoundError, FaceError, ProtocolError
from ditto.media.video import H264Encoder
from ditto.serving.interceptor import CallInterceptor
from ditto.serving.server import MAX_RECEIVE_BYTES
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity, StageService, StageStatusServicer
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import audio_encoder_pb2_grpc as audio_grpc
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import motion_dit_pb2_grpc as motion_grpc
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import renderer_pb2_grpc as render_grpc
from ditto.v1 import types_pb2 as types
from ditto.v1.stage_status_pb2_grpc import add_StageStatusServiceServicer_to_server

FRAME_SAMPLES = 640
HOP_FRAMES = 5
LOOK_AHEAD_SAMPLES = 1280
COMPUTE_US = 10_000
SIZE = 64
_OPTIONS = [("grpc.max_receive_message_length", MAX_RECEIVE_BYTES), ("grpc.so_reuseport", 0)]


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


async def start_stage(
    module: str,
    replica: int = 0,
    slots: int = 4,
    pack: str = "starter",
    port: int = 0,
    credentials: grpc.ServerCredentials | None = None,
    pack_hash: str = "",
    reserved: int = 2,
) -> FakeStage:
    """Start one replica on a free port."""
    pack_hash = pack_hash or f"{pack}-hash"
    identity = StageIdentity(module, f"{module}-{replica}", pack, "1.0", pack_hash, 25)
    stage = FakeStage(module, SlotPool(module, slots, reserved), identity)
    server = grpc.aio.server(interceptors=[CallInterceptor(lambda: True)], options=_OPTIONS)
    servicer, add = {
        "audio_encoder": (FakeEncoder, audio_grpc.add_AudioEncoderServiceServicer_to_server),
        "motion_dit": (FakeGenerator, motion_grpc.add_MotionDitServiceServicer_to_server),
        "renderer": (FakeRenderer, render_grpc.add_RendererServiceServicer_to_server),
    }[module]
    add(servicer(stage), server)
    waits = {"first_frame_audio_ms": 280.0, "hop_ms": 200.0} if module == "audio_encoder" else {}
    service = StageService(stage.identity, stage.slots, module, lambda _: None, status=waits)
    add_StageStatusServiceServicer_to_server(FakeStatus(service, stage), server)
    await stage.health.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(stage.health, server)
    stage.address = f"127.0.0.1:{listen(server, port, credentials)}"
    stage.server = server
    await server.start()
    return stage


def listen(server: Any, port: int, credentials: grpc.ServerCredentials | None) -> int:
    """Bind a port of this machine, any free one for 0; gives its number."""
    address = f"127.0.0.1:{port}"
    bound: int = (
        server.add_secure_port(address, credentials)
        if credentials
        else server.add_insecure_port(address)
    )
    return bound


class FakeStatus(StageStatusServicer):
    """The real status, unless the process is stopped."""

    def __init__(self, service: StageService, stage: FakeStage) -> None:
        super().__init__(service)
        self._fake = stage

    async def GetStageStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        if self._fake.is_stopped or self._fake.faults.is_stopped:
            await asyncio.sleep(3600)
        return await super().GetStageStatus(request, context)


def _timing() -> types.StepTiming:
    return types.StepTiming(compute_us=COMPUTE_US, queue_us=100, batch_size=1)


def _block(first: int, rows: np.ndarray) -> types.FrameBlock:
    return types.FrameBlock(first_frame=first, dim=1, data=rows.astype("<f4").tobytes())


def _resumed(checkpoint: bytes, identity: StageIdentity) -> tuple[list[float], bytes]:
    """Numbers and bytes of a checkpoint; those of another pack are refused."""
    head, _, rest = checkpoint.partition(b"|")
    pack_hash, *numbers = json.loads(head)
    if pack_hash != identity.pack_hash:
        raise ProtocolError(f"checkpoint: of {pack_hash}; start without it and replay")
    return numbers, rest


def _checkpoint(identity: StageIdentity, numbers: list[float], rest: bytes = b"") -> bytes:
    return json.dumps([identity.pack_hash, *numbers]).encode() + b"|" + rest


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
            (done,), rest = _resumed(checkpoint, stage.identity)
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
        state = _checkpoint(self._stage.identity, [self._done], self._samples.tobytes())
        features = audio_pb.EncodedFeatures(
            frames=_block(first, padded.reshape(frames, -1).max(axis=1)),
            timing=_timing(),
            checkpoint=state if has_checkpoint else b"",
            requests_taken=self._taken,
            samples_taken=self._done * FRAME_SAMPLES + len(self._samples),
        )
        await self._context.write(audio_pb.EncodeResponse(features=features))


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
            (following, self._gain, self._base), _ = _resumed(config.checkpoint, stage.identity)
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
        rows = np.frombuffer(block.data, "<f4").reshape(-1, block.dim)[:, 0]
        if request.HasField("motion"):
            self._base = rows[0] if np.isnan(self._base) else self._base
            rows = rows - self._base
        await self._stage.before(self._next)
        self._next += len(rows)
        numbers = [self._next, self._gain, float(self._base)]
        motion = motion_pb.GeneratedMotion(
            frames=_block(block.first_frame, rows * self._gain),
            timing=_timing(),
            checkpoint=_checkpoint(self._stage.identity, numbers),
            requests_taken=self._taken,
        )
        await self._context.write(motion_pb.GenerateResponse(motion=motion))


class FakeRenderer(render_grpc.RendererServiceServicer):
    """A frame is its motion number; portraits are any bytes but those that begin `no face`."""

    def __init__(self, stage: FakeStage) -> None:
        self._stage = stage

    async def PreparePortrait(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.portrait.startswith(b"no face"):
            raise FaceError("no face was found; send a portrait with one face")
        key = self._key(request.portrait)
        source = "local" if key in self._stage.cached else "computed"
        self._stage.cached.add(key)
        self._stage.prepared.append(key)
        identity = types.FaceIdentity(
            canonical_keypoints=[0.5] * 63, reference_motion=[0.25] * 265, eye_state=[1.0] * 8
        )
        return render_pb.PreparePortraitResponse(
            content_key=key,
            identity=identity,
            width=100,
            height=120,
            warnings=["the face is small"],
            source=source,
            prepare_ms=7.0 if source == "computed" else 0.0,
        )

    async def DropPortrait(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._stage.cached.discard(request.content_key)
        return render_pb.DropPortraitResponse()

    async def Render(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        first = await anext(request_iterator)
        told = first.config
        self._stage.configs.append(told)
        with self._stage.slots.take(told.moved, is_realtime=told.is_realtime):
            await asyncio.sleep(self._stage.faults.accept_delay_s)
            source = "local"
            if first.config.content_key not in self._stage.cached:
                await context.write(render_pb.RenderResponse(portrait_needed={}))
                answer = await anext(request_iterator)
                if first.config.content_key not in ("", self._key(answer.portrait)):
                    raise AvatarNotFoundError("another portrait than asked for")
                source = "computed"
            accepted = render_pb.RenderAccepted(
                session=self._stage.identity.accepted(), width=SIZE, height=SIZE, source=source
            )
            await context.write(render_pb.RenderResponse(accepted=accepted))
            encode = _Pictures(first.config.video_format.encoding)
            async for request in request_iterator:
                self._stage.requests.append(request)
                await self._render(request.motion, encode, context)

    async def _render(self, block: types.FrameBlock, encode: _Pictures, context: Any) -> None:
        for offset, value in enumerate(np.frombuffer(block.data, "<f4")):
            index = block.first_frame + offset
            await self._stage.before(index)
            if index == self._stage.faults.skip_frame:
                continue
            data, keyframe = encode(float(value))
            frame = render_pb.RenderedFrame(
                index=index, data=data, keyframe=keyframe, timing=_timing()
            )
            await context.write(render_pb.RenderResponse(frame=frame))

    @staticmethod
    def _key(portrait: bytes) -> str:
        return f"key-{hash(portrait) & 0xFFFFFFFF:08x}"


class _Pictures:
    """A number as four bytes, or as a grey H.264 picture."""

    def __init__(self, encoding: int) -> None:
        is_h264 = encoding == types.VIDEO_ENCODING_H264_FMP4
        self._h264 = H264Encoder(SIZE, SIZE) if is_h264 else None
        self._padding = b"" if encoding != types.VIDEO_ENCODING_RGB24 else bytes(200_000)

    def __call__(self, value: float) -> tuple[bytes, bool]:
        if self._h264 is None:
            return struct.pack("<f", value) + self._padding, True
        grey = np.full((SIZE, SIZE, 3), min(255, int(value) >> 7), np.uint8)
        unit = self._h264.encode(grey)
        return unit.data, unit.is_keyframe


def loudness(data: bytes) -> float:
    """The number that a JPEG or RGB24 frame of the fake renderer shows."""
    return float(struct.unpack_from("<f", data)[0])
