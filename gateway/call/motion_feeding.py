"""Hands the motion that a caller sends to the motion stage: as it comes (FAST), or on the media
clock (REALTIME), where the face idles while none is there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from ditto.motion.layout import MOTION_DIM
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types
from gateway.call.feeding import Give
from gateway.call.lead import Lead
from gateway.call.media_clock import SAMPLE_BYTES, MediaClock
from gateway.call.speech_spans import SpeechSpans
from gateway.clock import Clock

ToMotion = Callable[[motion_pb.GenerateRequest], Awaitable[None]]
_ROW_BYTES = 4 * MOTION_DIM
UNIT_FRAMES = 2
"""Frames that REALTIME hands over together: two tell how fast the motion begins."""


class MotionFeeder:
    """A `gateway.call.feeding.Feeder` for a call without speech; what is heard is silence."""

    def __init__(
        self, media: MediaClock, spans: SpeechSpans, lead: Lead, to_motion: ToMotion
    ) -> None:
        self._media = media
        self._spans = spans
        self._lead = lead
        self._to_motion = to_motion
        self._rows: deque[bytes] = deque()
        self._is_ended = False
        self._changed = asyncio.Event()
        self._next_frame = 0
        self.position = 0

    def put(self, pcm: bytes, sent_s_ago: float = 0.0) -> None:
        """There is no speech, but for the nothing that a reader gives at its end."""

    def put_motion(self, block: types.FrameBlock) -> None:
        """Frames have arrived."""
        data = block.data
        self._rows.extend(data[at : at + _ROW_BYTES] for at in range(0, len(data), _ROW_BYTES))
        self._changed.set()

    def end(self) -> None:
        """No more will come."""
        self._is_ended = True
        self._changed.set()

    def drop(self) -> None:
        """A call without speech cannot be interrupted."""

    def resume_at(self, frame: int) -> bytes:
        return b""

    def resume(self, position: int) -> None:
        """A call without speech cannot be resumed."""

    @property
    def queued_samples(self) -> int:
        """The samples that the frames which wait would take."""
        return len(self._rows) * self._media.frame_samples

    async def run(self, give: Give) -> None:
        """Give everything as it comes; return when the motion has ended."""
        while True:
            while not self._rows and not self._is_ended:
                self._changed.clear()
                await self._changed.wait()
            if not self._rows:
                return
            await self._lead.wait(lambda: self._spans.fed_samples)
            await self._drive(self._media.hop_frames, give)

    async def _drive(self, most: int, give: Give) -> int:
        """Hand over frames that wait; how many."""
        count = min(most, len(self._rows))
        data = b"".join(self._rows.popleft() for _ in range(count))
        block = types.FrameBlock(first_frame=self._next_frame, dim=MOTION_DIM, data=data)
        await self._hand_over(motion_pb.GenerateRequest(motion=block), count, give)
        return count

    async def _hand_over(self, request: motion_pb.GenerateRequest, frames: int, give: Give) -> None:
        samples = frames * self._media.frame_samples
        self._next_frame += frames
        self._spans.fed(samples, is_speech=False)
        await give(bytes(samples * SAMPLE_BYTES))
        await self._to_motion(request)


class RealtimeMotionFeeder(MotionFeeder):
    """Gives a unit of frames whenever the media clock reaches one."""

    def __init__(
        self,
        media: MediaClock,
        spans: SpeechSpans,
        lead: Lead,
        to_motion: ToMotion,
        clock: Clock,
    ) -> None:
        super().__init__(media, spans, lead, to_motion)
        self._clock = clock

    async def run(self, give: Give) -> None:
        target = UNIT_FRAMES
        while self._rows or not self._is_ended:
            position = target * self._media.frame_samples
            await self._clock.sleep_until(self._media.feed_at_s(position))
            await self._lead.wait(lambda: self._spans.fed_samples)
            missing = UNIT_FRAMES
            if self._rows:
                missing -= await self._drive(UNIT_FRAMES, give)
            if missing and not self._is_ended:
                request = motion_pb.GenerateRequest(idle_frames=missing)
                await self._hand_over(request, missing, give)
            target += UNIT_FRAMES
