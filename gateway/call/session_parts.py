"""What one call is carried with: its clock, feeder, packer, delivery and the rest, as it asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.resume_pb2 import ResumeState
from ditto.v1.stage_status_pb2 import GetStageStatusResponse as StageStatus
from gateway.call.caller import Caller, Requests
from gateway.call.degradation import Degradation, Quality
from gateway.call.delivery import Delivery, FastDelivery, RealtimeDelivery, SendFrame
from gateway.call.feeding import FastFeeder, Feeder, RealtimeFeeder
from gateway.call.flow import Flow, OpenAgain
from gateway.call.lead import Lead
from gateway.call.measure import CallMeasure
from gateway.call.media_clock import SAMPLE_RATE_HZ, MediaClock
from gateway.call.motion_feeding import UNIT_FRAMES, MotionFeeder, RealtimeMotionFeeder
from gateway.call.muxing import FramePacker, Mp4Packer, Packer
from gateway.call.outbox import Outbox
from gateway.call.speech_spans import SpeechSpans
from gateway.call.watchdog import Watchdog
from gateway.clock import Clock
from gateway.config import GatewayConfig
from gateway.resume.resume_points import ResumePoints
from gateway.resume.resume_token import TokenSeal
from gateway.resume.resumption import Resumption
from gateway.resume.tracked_reader import TrackedReader
from gateway.stages.call_stages import CallStages
from gateway.validation import audio_reader


@dataclass(frozen=True)
class OpenCall:
    """A call whose stages are open: what was agreed, and with what it is carried."""

    asked: pb.AnimateConfig
    """The settings in effect."""
    stages: CallStages
    config: GatewayConfig
    outbox: Outbox
    measure: CallMeasure
    clock: Clock
    open_again: OpenAgain
    facts: ResumeState
    """What another gateway must know of the call."""
    seal: TokenSeal
    going_on: Resumption | None = None
    """What this gateway was told of the call by another."""

    @property
    def is_paced(self) -> bool:
        """Frames come when they are due."""
        return self.asked.pacing == types.PACING_REALTIME

    @property
    def is_driven_by_motion(self) -> bool:
        """The caller sends motion, no speech."""
        return self.asked.driving == types.DRIVING_MOTION

    @property
    def is_mp4(self) -> bool:
        """The frames come in a container, of which none may be left out or change its size."""
        return self.asked.video_format.encoding == types.VIDEO_ENCODING_H264_FMP4


class SessionParts:
    """The parts of one session, which know each other but run nothing by themselves."""

    def __init__(self, call: OpenCall) -> None:
        self._call = call
        self.reader = _reader(call)
        self.media = _media_clock(call)
        self.spans = SpeechSpans(self.media)
        self._quality = Quality()
        self.flow = Flow(call.stages, call.open_again, call.measure, self._quality)
        self.packer = _packer(call, self.media)
        self.lead = Lead(self.media, int(call.config.lead_seconds * SAMPLE_RATE_HZ))
        self.feeder = self._motion_feeder() if call.is_driven_by_motion else self._speech_feeder()
        self.points = self._points()
        if call.asked.resume_interval_ms:
            spacing = call.asked.frame_rate * call.asked.resume_interval_ms // 2000
            call.stages.ledger.begin(self.media, spacing, bool(self.packer.mime_type))
        if call.going_on:
            self._take_over(call.going_on)

    def delivery(self, send: SendFrame, gate: asyncio.Lock) -> Delivery:
        """Hands each frame to `send` in its time; `gate` is held meanwhile."""
        call = self._call
        if not call.is_paced:
            return FastDelivery(send, gate)
        lag_s, may_skip = call.config.reader_lag_seconds, not call.is_mp4
        return RealtimeDelivery(self.media, call.clock, send, gate, lag_s, may_skip)

    def caller(
        self, requests: Requests, interrupt: Callable[[int | None], Awaitable[None]]
    ) -> Caller:
        """Reads the requests."""
        call = self._call
        return Caller(
            requests,
            self.reader,
            self.feeder,
            self.flow.to_motion,
            interrupt,
            call.measure,
            call.config,
            call.clock,
            needs_speech=not call.is_paced,
            driving=call.asked.driving,
            is_video=call.stages.rendering.source_frames > 1,
        )

    def watchdog(self, caller: Caller) -> Watchdog:
        """Ends the call for a limit over time."""
        call = self._call
        lasted_s = call.facts.lasted_s
        return Watchdog(caller, self.feeder, call.outbox, call.config, call.clock, lasted_s)

    def degradation(self) -> Degradation:
        """Lowers quality under load."""
        call = self._call
        return Degradation(
            call.stages,
            self._quality,
            call.outbox.event,
            lambda: self.flow.frames,
            call.config,
            call.clock,
            may_shrink=not call.is_mp4,
        )

    def _speech_feeder(self) -> Feeder:
        shared = self.media, self.spans, self._call.measure, self.lead
        return (
            RealtimeFeeder(*shared, self._call.clock)
            if self._call.is_paced
            else FastFeeder(*shared)
        )

    def _motion_feeder(self) -> Feeder:
        shared = self.media, self.spans, self.lead, self.flow.to_motion
        if self._call.is_paced:
            return RealtimeMotionFeeder(*shared, self._call.clock)
        return MotionFeeder(*shared)

    def _points(self) -> ResumePoints:
        call = self._call
        if call.going_on:
            call.facts.lasted_s = call.going_on.state.lasted_s
        return ResumePoints(
            call.facts,
            call.seal,
            call.stages.ledger,
            self.reader,
            self.packer,
            call.measure,
            call.clock,
        )

    def _take_over(self, told: Resumption) -> None:
        """Be where the other gateway was."""
        state, frame = told.state, told.next_frame
        self.spans.resume(state.speech, frame)
        self.feeder.resume(self.reader.samples)
        self.lead.sent(frame - 1)
        self._call.measure.resume(state, frame, self.reader.samples)
        self.packer.go_on(frame, told.parameter_sets, state.heard_from, state.heard)
        self._call.stages.history.resume(state.motion_frames, state.motion.checkpoint)
        self._call.stages.ledger.resume(state)


def _reader(call: OpenCall) -> TrackedReader:
    if call.going_on:
        return call.going_on.reader()
    tracks = bool(call.asked.resume_interval_ms)
    return TrackedReader(audio_reader(call.asked.audio_format), tracks)


def _media_clock(call: OpenCall) -> MediaClock:
    frame_rate = call.asked.frame_rate
    status = StageStatus(hop_ms=1000 * UNIT_FRAMES / frame_rate)
    if call.stages.audio is not None:
        status = call.stages.audio.replica.status
    hop = _samples(status.hop_ms) or SAMPLE_RATE_HZ // frame_rate
    media = MediaClock(
        frame_rate=frame_rate,
        first_samples=_samples(status.first_frame_audio_ms) or hop,
        hop_samples=hop,
        start_s=call.clock.now(),
        jitter_s=call.config.jitter_ms / 1000,
        margin_s=call.config.compute_margin_ms / 1000,
    )
    if call.going_on:
        return replace(media, start_s=call.going_on.starts_s(media, call.clock.now()))
    return media


def _packer(call: OpenCall, media: MediaClock) -> Packer:
    if not call.is_mp4:
        return FramePacker(media)
    rendering = call.stages.rendering
    return Mp4Packer(media, rendering.width, rendering.height)


def _samples(duration_ms: float) -> int:
    return round(duration_ms * SAMPLE_RATE_HZ / 1000)
