"""Frames to the caller: as soon as they are ready (FAST), or each when it is due (REALTIME)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from ditto.errors import CallLimitError
from ditto.serving import metrics
from ditto.v1 import renderer_pb2 as render_pb
from gateway.call.media_clock import MediaClock
from gateway.clock import Clock

SendFrame = Callable[[render_pb.RenderedFrame], Awaitable[None]]
_EARLY_S = 0.001
_LATE_S = 0.005
"""A frame that is ready so much after it was due counts as an underrun."""


class Delivery(Protocol):
    """Takes rendered frames in order."""

    async def put(self, frame: render_pb.RenderedFrame) -> None:
        """A frame is ready."""

    def drop(self) -> None:
        """Forget the frames that wait. To be called with the gate held."""

    def first_after(self, sent: int) -> int:
        """The frame to go on with after an interrupt, when `sent` was the last one."""

    def end(self) -> None:
        """That was the last."""

    async def run(self) -> None:
        """Send what is due; return after the last frame."""


class FastDelivery:
    """Sends each frame at once; a slow reader slows the stages."""

    def __init__(self, send: SendFrame, gate: asyncio.Lock) -> None:
        self._send = send
        self._gate = gate

    async def put(self, frame: render_pb.RenderedFrame) -> None:
        async with self._gate:
            await self._send(frame)

    def drop(self) -> None:
        """Nothing waits here."""

    def first_after(self, sent: int) -> int:
        return sent + 1

    def end(self) -> None:
        """Everything has been sent."""

    async def run(self) -> None:
        """Everything is sent by `put`."""


class RealtimeDelivery:
    """Sends each frame when it is due; a slow reader loses frames, or the call."""

    def __init__(
        self,
        media: MediaClock,
        clock: Clock,
        send: SendFrame,
        gate: asyncio.Lock,
        lag_s: float,
        may_skip: bool,
    ) -> None:
        """`may_skip` says whether the format can do without some frames."""
        self._gate = gate
        self._media = media
        self._clock = clock
        self._send = send
        self._may_skip = may_skip
        self._most_frames = int((media.delay_s + lag_s) * media.frame_rate) + media.hop_frames
        self._frames: deque[render_pb.RenderedFrame] = deque()
        self._changed = asyncio.Event()
        self._is_ended = False

    async def put(self, frame: render_pb.RenderedFrame) -> None:
        if self._clock.now() > self._media.due_s(frame.index) + _LATE_S:
            metrics.UNDERRUNS.inc()
        if len(self._frames) >= self._most_frames:
            self._catch_up()
        self._frames.append(frame)
        self._changed.set()

    def end(self) -> None:
        self._is_ended = True
        self._changed.set()

    async def run(self) -> None:
        while self._frames or not self._is_ended:
            if not self._frames:
                self._changed.clear()
                await self._changed.wait()
                continue
            await self._clock.sleep_until(self._media.due_s(self._frames[0].index))
            async with self._gate:
                if self._frames and self._is_due(self._frames[0]):
                    await self._send(self._frames.popleft())

    def drop(self) -> None:
        self._frames.clear()

    def first_after(self, sent: int) -> int:
        """What stages that were behind would have to catch up with is left out, where it may be."""
        return (
            max(sent + 1, self._media.frame_due(self._clock.now())) if self._may_skip else sent + 1
        )

    def _is_due(self, frame: render_pb.RenderedFrame) -> bool:
        """False for a frame that took the place of a due one after an interrupt."""
        return self._clock.now() >= self._media.due_s(frame.index) - _EARLY_S

    def _catch_up(self) -> None:
        """Drop the frames whose time has passed."""
        if not self._may_skip:
            raise CallLimitError(
                f"reader: fell {len(self._frames)} frames behind, and H264_FMP4 cannot skip any; "
                "read faster, or ask for JPEG"
            )
        now = self._clock.now()
        while self._frames and self._media.due_s(self._frames[0].index) < now:
            self._frames.popleft()
