"""What the caller sends after the configuration: speech, controls, interrupts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np

from ditto.errors import InvalidInputError, ProtocolError
from ditto.motion.layout import FPS
from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types
from gateway.call.feeding import Feeder
from gateway.call.measure import CallMeasure
from gateway.call.media_clock import SAMPLE_RATE_HZ
from gateway.call.motion_feeding import MotionFeeder
from gateway.clock import Clock
from gateway.limits import CallLimits, check_audio_message, check_speech
from gateway.resume.tracked_reader import TrackedReader
from gateway.validation import check_control, check_motion
from gateway.video_portraits import keep_source_motion

Requests = AsyncIterator[pb.AnimateRequest]
_PIECE_SECONDS = 0.05
"""Between pieces of so much speech the other calls of the process have their turn."""


class Caller:
    """Reads the requests of one call and passes each on to where it belongs."""

    def __init__(
        self,
        requests: Requests,
        reader: TrackedReader,
        feeder: Feeder,
        to_motion: Callable[[motion_pb.GenerateRequest], Awaitable[None]],
        interrupt: Callable[[int | None], Awaitable[None]],
        measure: CallMeasure,
        limits: CallLimits,
        clock: Clock,
        needs_speech: bool,
        driving: types.Driving,
        is_video: bool,
    ) -> None:
        """`needs_speech` says whether a call without any is an error, `is_video` whether the
        portrait is one."""
        self._requests = requests
        self._reader = reader
        self._feeder = feeder
        self._to_motion = to_motion
        self._interrupt = interrupt
        self._measure = measure
        self._limits = limits
        self._clock = clock
        self._needs_speech = needs_speech
        self._driving = driving
        self._is_video = is_video
        self._motion_frames = 0
        self._sent_s_ago = 0.0
        self.heard_at_s = clock.now()
        """When the last message came."""
        self.has_ended = False
        """The caller has closed the stream."""

    async def run(self) -> None:
        """Read until the caller ends the speech. Raises for whatever cannot be used."""
        async for request in self._requests:
            self.heard_at_s = self._clock.now()
            await self._take(request)
        self.has_ended = True
        self._pass_on(self._reader.finish())
        if self._driving == types.DRIVING_MOTION:
            if not self._motion_frames and self._needs_speech:
                raise InvalidInputError("motion", "no frames were sent; allowed: one or more")
        elif self._needs_speech and not self._measure.speech_samples:
            raise InvalidInputError("audio", "no speech was sent; allowed: one sample or more")
        self._feeder.end()

    async def _take(self, request: pb.AnimateRequest) -> None:
        kind = request.WhichOneof("request")
        if kind == "audio":
            self._sent_s_ago = request.sent_ms_ago / 1000
            await self._take_audio(request.audio)
        elif kind == "control":
            await self._take_control(request.control)
        elif kind == "motion":
            await self._take_motion(request.motion)
        elif kind == "interrupt":
            await self._take_interrupt(request.interrupt)
        elif kind == "config":
            raise ProtocolError("config: was sent before; it comes first, once")
        else:
            raise InvalidInputError("request", "is empty; allowed: audio, control, interrupt")

    async def _take_audio(self, audio: bytes) -> None:
        if self._driving == types.DRIVING_MOTION:
            raise ProtocolError("audio: config.driving is MOTION; send motion frames")
        check_audio_message(audio, self._limits)
        self._measure.speech_arrived()
        for piece in self._reader.pieces(audio, _PIECE_SECONDS):
            self._pass_on(self._reader.feed(piece))
            if len(piece) < len(audio):
                await asyncio.sleep(0)

    def _pass_on(self, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
        self._measure.speech_samples += len(samples)
        check_speech(self._measure.speech_samples / SAMPLE_RATE_HZ, self._limits)
        scaled = np.clip(np.rint(samples * np.float32(2**15)), -(2**15), 2**15 - 1)
        self._feeder.put(scaled.astype("<i2").tobytes(), self._sent_s_ago)

    async def _take_control(self, control: types.MotionControl) -> None:
        check_control(control)
        if control.reset and self._is_video:
            keep_source_motion(control)
        await self._to_motion(motion_pb.GenerateRequest(control=control))

    async def _take_motion(self, motion: types.FrameBlock) -> None:
        if not isinstance(self._feeder, MotionFeeder):
            raise ProtocolError("motion: config.driving is SPEECH; allowed with MOTION")
        frames = check_motion(motion)
        check_speech((self._motion_frames + frames) / FPS, self._limits)
        if motion.first_frame != self._motion_frames:
            raise InvalidInputError(
                "motion.first_frame", f"is {motion.first_frame}; allowed: {self._motion_frames}"
            )
        self._motion_frames += frames
        self._feeder.put_motion(motion)

    async def _take_interrupt(self, interrupt: pb.Interrupt) -> None:
        if interrupt.last_played_frame_index < 0:
            raise InvalidInputError(
                "interrupt.last_played_frame_index",
                f"is {interrupt.last_played_frame_index}; allowed: 0 on",
            )
        if self._driving == types.DRIVING_MOTION:
            raise ProtocolError("interrupt: config.driving is MOTION; there is no speech to stop")
        metrics.INTERRUPTS.inc()
        is_given = interrupt.HasField("last_played_frame_index")
        await self._interrupt(interrupt.last_played_frame_index if is_given else None)
