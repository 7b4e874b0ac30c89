"""One call from `started` to `stats`: the pumps between the caller and the three stages.

    caller -> feeder -> audio_encoder -> motion_dit -> renderer -> delivery -> caller

Each arrow is a task of one group: when one fails, or the call is cancelled, all end, and whoever
opened the stage streams closes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

from ditto.serving import metrics
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from gateway.call.caller import Caller, Requests
from gateway.call.flow import cause
from gateway.call.session_parts import OpenCall, SessionParts
from gateway.stages.moves import Move

_HEAR_AGAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.01


class Session:
    """Runs a call whose stages are open."""

    def __init__(self, call: OpenCall) -> None:
        self._call = call
        self._parts = parts = SessionParts(call)
        self._outbox, self._measure, self._stages = call.outbox, call.measure, call.stages
        self._spans, self._flow, self._feeder = parts.spans, parts.flow, parts.feeder
        self._packer, self._points = parts.packer, parts.points
        self._gate = asyncio.Lock()
        """Held while a frame is sent, and while an interrupt replaces those to come."""
        self._delivery = parts.delivery(self._send_frame, self._gate)
        self._resumes = bool(call.asked.resume_interval_ms)
        self._next_frame = call.going_on.next_frame if call.going_on else 0

    @property
    def first_token(self) -> bytes:
        """The call as it is before anything was said; empty where it cannot go on elsewhere."""
        return self._points.first() if self._resumes else b""

    @property
    def mime_type(self) -> str:
        """Of the container, where there is one."""
        return self._packer.mime_type

    async def run(self, requests: Requests) -> None:
        """Carry the call to its last frame. Raises what ended it before."""
        caller = self._parts.caller(requests, self._interrupt)
        try:
            async with asyncio.TaskGroup() as pumps:
                watching = [pumps.create_task(watch) for watch in self._watches(caller)]
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

    def _watches(self, caller: Caller) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on beside the pumps, and ends with them."""
        yield self._parts.watchdog(caller).run()
        if self._call.is_paced and not self._call.asked.keep_quality:
            yield self._parts.degradation().run()
        if self._resumes:
            yield self._beat()

    async def announce_drain(self, deadline_s: float) -> None:
        """Tell the caller that the server will go away."""
        await self._outbox.event(
            pb.Event(kind=pb.EVENT_KIND_DRAINING, deadline_ms=int(deadline_s * 1000))
        )

    async def _feed(self, caller: Caller) -> None:
        going_on = self._call.going_on
        if going_on and self._call.is_paced:
            await self._hear_again(going_on.speech_bytes, caller)
        await self._feeder.run(self._give)
        await self._flow.finish()

    async def _give(self, pcm: bytes) -> None:
        self._packer.hear(pcm)
        if self._resumes:
            self._stages.ledger.gave(pcm, self._spans.progress(), self._feeder.position)
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
            await self._restart(kept, self._delivery.first_after(sent))

    async def _restart(self, kept: int, first: int) -> None:
        """Let frame `first` follow frame `kept` in motion."""
        silence = self._feeder.resume_at(first)
        point = await self._flow.restart(kept, first)
        changes = motion_pb.GenerateConfig(
            checkpoint=point.checkpoint, history=point.history, first_frame=first
        )
        known = self._spans.progress(), self._feeder.position
        self._stages.ledger.restart(changes, point.controls, *known)
        self._points.hurry()
        if silence:
            await self._give(silence)

    async def _send_frame(self, frame: render_pb.RenderedFrame) -> None:
        for event in [*self._failovers(), *self._spans.events_before(frame.index)]:
            await self._outbox.event(event)
        if frame.index != self._next_frame:
            await self._outbox.event(_skipped(frame.index, frame.index - self._next_frame))
        self._next_frame = frame.index + 1
        self._measure.frame_leaves(frame.index, self._spans.first_frame)
        response = self._packer.pack(frame)
        self._points.add_to(response, self._next_frame)
        await self._outbox.send(response)
        self._parts.lead.sent(frame.index)

    async def _conclude(self) -> None:
        """What follows the last frame: the rest of the sound, the last events."""
        if rest := self._packer.finish():
            await self._outbox.send(rest)
        for event in [*self._failovers(), *self._spans.remaining_events()]:
            await self._outbox.event(event)
        media, skew = self._parts.media, 0
        if not self._call.is_driven_by_motion:
            skew = self._flow.frames - media.frames_in(self._spans.fed_samples)
        self._measure.skew_frames = skew
        metrics.AV_SKEW.observe(skew / media.frame_rate)

    def _failovers(self) -> list[pb.Event]:
        """What to tell of stage replicas that were replaced."""
        moves = self._stages.take_moves()
        for move in moves:
            self._measure.moved(move)
        return [_failed_over(move) for move in moves]

    async def resume(self) -> None:
        """Tell the motion stage again what its checkpoint does not know."""
        if self._call.going_on:
            for control in self._call.going_on.controls:
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
        clock, reader = self._call.clock, self._parts.reader
        end_s = clock.now() + _HEAR_AGAIN_SECONDS
        while reader.taken_bytes < speech_bytes and not caller.has_ended:
            if (now := clock.now()) >= end_s:
                break
            await clock.sleep_until(now + _LOOK_SECONDS)


def _skipped(first_frame: int, frames: int) -> pb.Event:
    return pb.Event(
        kind=pb.EVENT_KIND_FRAMES_SKIPPED,
        frame_index=first_frame,
        detail=f"{frames} frames; read faster",
    )


def _failed_over(move: Move) -> pb.Event:
    return pb.Event(
        kind=pb.EVENT_KIND_FAILED_OVER,
        frame_index=move.first_frame,
        detail=str(move),
        gap_ms=move.gap_s * 1000,
    )
