"""One call from `started` to `stats`: the pumps between the caller and the three stages.

    caller -> feeder -> audio_encoder -> motion_dit -> renderer -> delivery -> caller

Each arrow is a task of one group: when one fails, or the call is cancelled, all end, and whoever
opened the stage streams closes them.
"""

from __future__ import annotations

import asyncio

from ditto.media.audio import AudioReader
from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from gateway.call_stages import CallStages
from gateway.caller import Caller, Requests
from gateway.clock import Clock
from gateway.config import GatewayConfig
from gateway.degradation import Degradation, Quality
from gateway.delivery import Delivery, FastDelivery, RealtimeDelivery
from gateway.feeding import FastFeeder, Feeder, RealtimeFeeder
from gateway.flow import Flow, OpenAgain, cause
from gateway.lead import Lead
from gateway.measure import CallMeasure
from gateway.media_clock import SAMPLE_RATE_HZ, MediaClock
from gateway.muxing import FramePacker, Mp4Packer, Packer
from gateway.outbox import Outbox
from gateway.speech_spans import SpeechSpans
from gateway.watchdog import Watchdog


class Session:
    """A call whose stages are open."""

    def __init__(
        self,
        asked: pb.AnimateConfig,
        reader: AudioReader,
        stages: CallStages,
        config: GatewayConfig,
        outbox: Outbox,
        measure: CallMeasure,
        clock: Clock,
        open_again: OpenAgain,
    ) -> None:
        """`asked` are the settings in effect, `reader` decodes the speech to come."""
        self._asked = asked
        self._reader = reader
        self._stages = stages
        self._config = config
        self._outbox = outbox
        self._measure = measure
        self._clock = clock
        self._is_paced = asked.pacing == types.PACING_REALTIME
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
        watchdog = Watchdog(caller, self._feeder, self._outbox, self._config, self._clock)
        try:
            async with asyncio.TaskGroup() as pumps:
                watching = [pumps.create_task(watchdog.run())]
                if self._is_paced and not self._asked.keep_quality:
                    watching.append(pumps.create_task(self._degradation().run()))
                pumps.create_task(caller.run())
                pumps.create_task(self._feed())
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

    async def _feed(self) -> None:
        await self._feeder.run(self._give)
        await self._flow.finish()

    async def _give(self, pcm: bytes) -> None:
        self._packer.hear(pcm)
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
            await self._flow.restart(kept, first)
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
        await self._outbox.send(self._packer.pack(frame))
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
        status = self._stages.audio.replica.status
        frame_rate = self._asked.frame_rate
        hop = _samples(status.hop_ms) or SAMPLE_RATE_HZ // frame_rate
        return MediaClock(
            frame_rate=frame_rate,
            first_samples=_samples(status.first_frame_audio_ms) or hop,
            hop_samples=hop,
            start_s=self._clock.now(),
            jitter_s=self._config.jitter_ms / 1000,
            margin_s=self._config.compute_margin_ms / 1000,
        )

    def _make_packer(self) -> Packer:
        if self._asked.video_format.encoding == types.VIDEO_ENCODING_H264_FMP4:
            rendering = self._stages.rendering
            return Mp4Packer(self._media, rendering.width, rendering.height)
        return FramePacker(self._media)

    def _make_feeder(self) -> Feeder:
        if self._is_paced:
            return RealtimeFeeder(self._media, self._spans, self._measure, self._lead, self._clock)
        return FastFeeder(self._media, self._spans, self._measure, self._lead)

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
