"""One call from `started` to `stats`: the pumps between the caller and the three stages.

    caller -> feeder -> audio_encoder -> motion_dit -> renderer -> delivery -> caller

Each arrow is a task of one group: when one fails, or the call is cancelled, all end, and whoever
opened the stage streams closes them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from ditto.v1.resume_pb2 import ResumeState
from ditto.v1.stage_status_pb2 import GetStageStatusResponse as StageStatus
from gateway.call.caller import Caller, Requests
from gateway.call.degradation import Degradation, Quality
from gateway.call.delivery import Delivery, FastDelivery, RealtimeDelivery
from gateway.call.feeding import FastFeeder, Feeder, RealtimeFeeder
from gateway.call.flow import Flow, OpenAgain, cause
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

_HEAR_AGAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.01


class Session:
    """A call whose stages are open."""

    def __init__(
        self,
        asked: pb.AnimateConfig,
        stages: CallStages,
        config: GatewayConfig,
        outbox: Outbox,
        measure: CallMeasure,
        clock: Clock,
        open_again: OpenAgain,
        facts: ResumeState,
        seal: TokenSeal,
        going_on: Resumption | None = None,
    ) -> None:
        """`asked` are the settings in effect; `facts` are what another gateway must know of the
        call, and `going_on` is what this one was told by another."""
        self._asked = asked
        self._going_on = going_on
        self._stages = stages
        self._config = config
        self._outbox = outbox
        self._measure = measure
        self._clock = clock
        self._is_paced = asked.pacing == types.PACING_REALTIME
        if going_on:
            facts.lasted_s = going_on.state.lasted_s
        self._lasted_s = facts.lasted_s
        self._reader = self._make_reader()
        self._media = self._media_clock()
        self._spans = SpeechSpans(self._media)
        self._quality = Quality()
        self._flow = Flow(stages, open_again, measure, self._quality)
        self._gate = asyncio.Lock()
        """Held while a frame is sent, and while an interrupt replaces those to come."""
        self._packer = self._make_packer()
        self._lead = Lead(self._media, int(config.lead_seconds * SAMPLE_RATE_HZ))
        self._feeder = self._make_feeder()
        self._next_frame = 0
        self._delivery = self._make_delivery()
        self._ledger = stages.ledger
        self._points = ResumePoints(
            facts, seal, self._ledger, self._reader, self._packer, measure, clock
        )
        if asked.resume_interval_ms:
            spacing = asked.frame_rate * asked.resume_interval_ms // 2000
            self._ledger.begin(self._media, spacing, bool(self._packer.mime_type))
        if going_on:
            self._take_over(going_on)

    @property
    def first_token(self) -> bytes:
        """The call as it is before anything was said; empty where it cannot go on elsewhere."""
        return self._points.first() if self._asked.resume_interval_ms else b""

    @property
    def mime_type(self) -> str:
        """Of the container, where there is one."""
        return self._packer.mime_type

    async def run(self, requests: Requests) -> None:
        """Carry the call to its last frame. Raises what ended it before."""
        caller = Caller(
            requests,
            self._reader,
            self._feeder,
            self._flow.to_motion,
            self._interrupt,
            self._measure,
            self._config,
            self._clock,
            needs_speech=not self._is_paced,
            driving=self._asked.driving,
            is_video=self._stages.rendering.source_frames > 1,
        )
        watchdog = Watchdog(
            caller, self._feeder, self._outbox, self._config, self._clock, self._lasted_s
        )
        try:
            async with asyncio.TaskGroup() as pumps:
                watching = [pumps.create_task(watchdog.run())]
                if self._is_paced and not self._asked.keep_quality:
                    watching.append(pumps.create_task(self._degradation().run()))
                if self._asked.resume_interval_ms:
                    watching.append(pumps.create_task(self._beat()))
                pumps.create_task(caller.run())
                pumps.create_task(self._feed(caller))
                rendering = pumps.create_task(self._deliver())
                sending = pumps.create_task(self._delivery.run())
                await rendering
                await sending
                for watch in watching:
                    watch.cancel()
        except BaseExceptionGroup as group:
            raise cause(group) from None
        await self._conclude()

    async def announce_drain(self, deadline_s: float) -> None:
        """Tell the caller that the server will go away."""
        await self._outbox.event(
            pb.Event(kind=pb.EVENT_KIND_DRAINING, deadline_ms=int(deadline_s * 1000))
        )

    async def _feed(self, caller: Caller) -> None:
        if self._going_on and self._is_paced:
            await self._hear_again(self._going_on.speech_bytes, caller)
        await self._feeder.run(self._give)
        await self._flow.finish()

    async def _give(self, pcm: bytes) -> None:
        self._packer.hear(pcm)
        if self._asked.resume_interval_ms:
            self._ledger.gave(pcm, self._spans.progress(), self._feeder.position)
        await self._flow.give(pcm)

    async def _deliver(self) -> None:
        await self._flow.run(self._delivery.put)
        self._delivery.end()

    async def _interrupt(self, last_played: int | None) -> None:
        """Drop the old speech that was not seen; go on from the pose that was seen last."""
        self._feeder.drop()
        async with self._gate:
            sent = self._next_frame - 1
            kept = self._stages.history.nearest(sent if last_played is None else last_played)
            kept = min(kept, sent)
            last = self._spans.interrupt(kept)
            await self._outbox.event(pb.Event(kind=pb.EVENT_KIND_INTERRUPTED, frame_index=last))
            self._delivery.drop()
            self._packer.drop()
            first = self._delivery.first_after(sent)
            silence = self._feeder.resume_at(first)
            point = await self._flow.restart(kept, first)
            changes = motion_pb.GenerateConfig(
                checkpoint=point.checkpoint, history=point.history, first_frame=first
            )
            known = self._spans.progress(), self._feeder.position
            self._ledger.restart(changes, point.controls, *known)
            self._points.hurry()
            if silence:
                await self._give(silence)

    async def _send_frame(self, frame: render_pb.RenderedFrame) -> None:
        for event in [*self._failovers(), *self._spans.events_before(frame.index)]:
            await self._outbox.event(event)
        if frame.index != self._next_frame:
            await self._outbox.event(
                pb.Event(
                    kind=pb.EVENT_KIND_FRAMES_SKIPPED,
                    frame_index=frame.index,
                    detail=f"{frame.index - self._next_frame} frames; read faster",
                )
            )
        self._next_frame = frame.index + 1
        self._measure.frame_leaves(frame.index, self._spans.first_frame)
        response = self._packer.pack(frame)
        self._points.add_to(response, self._next_frame)
        await self._outbox.send(response)
        self._lead.sent(frame.index)

    async def _conclude(self) -> None:
        """What follows the last frame: the rest of the sound, the last events."""
        if rest := self._packer.finish():
            await self._outbox.send(rest)
        for event in [*self._failovers(), *self._spans.remaining_events()]:
            await self._outbox.event(event)
        skew = self._flow.frames - self._media.frames_in(self._spans.fed_samples)
        if self._asked.driving == types.DRIVING_MOTION:
            skew = 0
        self._measure.skew_frames = skew
        metrics.AV_SKEW.observe(skew / self._media.frame_rate)

    def _failovers(self) -> list[pb.Event]:
        """What to tell of stage replicas that were replaced."""
        moves = self._stages.take_moves()
        for move in moves:
            self._measure.moved(move)
        return [
            pb.Event(
                kind=pb.EVENT_KIND_FAILED_OVER,
                frame_index=move.first_frame,
                detail=str(move),
                gap_ms=move.gap_s * 1000,
            )
            for move in moves
        ]

    async def resume(self) -> None:
        """Tell the motion stage again what its checkpoint does not know."""
        if self._going_on:
            for control in self._going_on.controls:
                await self._flow.to_motion(control)

    async def _beat(self) -> None:
        """Let the caller know that this gateway is there, where nothing else does."""
        while True:
            sent = self._outbox.sent
            await asyncio.sleep(self._points.interval_s)
            if self._outbox.sent == sent and self._outbox.blocked_since_s is None:
                async with self._gate:
                    response = pb.AnimateResponse()
                    self._points.add_to(response, self._next_frame)
                    await self._outbox.send(response)

    async def _hear_again(self, speech_bytes: int, caller: Caller) -> None:
        """Wait for speech that is known already: silence must not take its place."""
        end_s = self._clock.now() + _HEAR_AGAIN_SECONDS
        while self._reader.taken_bytes < speech_bytes and not caller.has_ended:
            if (now := self._clock.now()) >= end_s:
                break
            await self._clock.sleep_until(now + _LOOK_SECONDS)

    def _take_over(self, told: Resumption) -> None:
        """Be where the other gateway was."""
        state, frame = told.state, told.next_frame
        self._next_frame = frame
        self._spans.resume(state.speech, frame)
        self._feeder.resume(self._reader.samples)
        self._lead.sent(frame - 1)
        self._measure.resume(state, frame, self._reader.samples)
        self._packer.go_on(frame, told.parameter_sets, state.heard_from, state.heard)
        self._stages.history.resume(state.motion_frames, state.motion.checkpoint)
        self._ledger.resume(state)

    def _make_reader(self) -> TrackedReader:
        if self._going_on:
            return self._going_on.reader()
        tracks = bool(self._asked.resume_interval_ms)
        return TrackedReader(audio_reader(self._asked.audio_format), tracks)

    def _degradation(self) -> Degradation:
        return Degradation(
            self._stages,
            self._quality,
            self._outbox.event,
            lambda: self._flow.frames,
            self._config,
            self._clock,
            self._frames_stand_alone,
        )

    @property
    def _frames_stand_alone(self) -> bool:
        """A frame of this format may be left out, or smaller than others."""
        return self._asked.video_format.encoding != types.VIDEO_ENCODING_H264_FMP4

    def _media_clock(self) -> MediaClock:
        frame_rate = self._asked.frame_rate
        status = StageStatus(hop_ms=1000 * UNIT_FRAMES / frame_rate)
        if self._stages.audio is not None:
            status = self._stages.audio.replica.status
        hop = _samples(status.hop_ms) or SAMPLE_RATE_HZ // frame_rate
        media = MediaClock(
            frame_rate=frame_rate,
            first_samples=_samples(status.first_frame_audio_ms) or hop,
            hop_samples=hop,
            start_s=self._clock.now(),
            jitter_s=self._config.jitter_ms / 1000,
            margin_s=self._config.compute_margin_ms / 1000,
        )
        if self._going_on:
            return replace(media, start_s=self._going_on.starts_s(media, self._clock.now()))
        return media

    def _make_packer(self) -> Packer:
        if self._asked.video_format.encoding == types.VIDEO_ENCODING_H264_FMP4:
            rendering = self._stages.rendering
            return Mp4Packer(self._media, rendering.width, rendering.height)
        return FramePacker(self._media)

    def _make_feeder(self) -> Feeder:
        if self._asked.driving == types.DRIVING_MOTION:
            return self._make_motion_feeder()
        if self._is_paced:
            return RealtimeFeeder(self._media, self._spans, self._measure, self._lead, self._clock)
        return FastFeeder(self._media, self._spans, self._measure, self._lead)

    def _make_motion_feeder(self) -> MotionFeeder:
        shared = self._media, self._spans, self._lead, self._flow.to_motion
        if self._is_paced:
            return RealtimeMotionFeeder(*shared, self._clock)
        return MotionFeeder(*shared)

    def _make_delivery(self) -> Delivery:
        if not self._is_paced:
            return FastDelivery(self._send_frame, self._gate)
        return RealtimeDelivery(
            self._media,
            self._clock,
            self._send_frame,
            self._gate,
            self._config.reader_lag_seconds,
            self._frames_stand_alone,
        )


def _samples(duration_ms: float) -> int:
    return round(duration_ms * SAMPLE_RATE_HZ / 1000)
