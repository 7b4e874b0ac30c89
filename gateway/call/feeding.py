"""Hands speech to the audio encoder: as it comes (FAST), or on the media clock (REALTIME)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.call.lead import Lead
from gateway.call.measure import CallMeasure
from gateway.call.media_clock import SAMPLE_BYTES, MediaClock
from gateway.call.placement import Placement
from gateway.call.speech_queue import SpeechQueue
from gateway.call.speech_spans import SpeechSpans
from gateway.clock import Clock

Give = Callable[[bytes], Awaitable[None]]
"""Sends samples to the encoder."""


class Feeder(Protocol):
    """Takes the caller's speech and gives it on."""

    def put(self, pcm: bytes, sent_s_ago: float = 0.0) -> None:
        """Samples have arrived, which the caller first sent so long ago."""

    def end(self) -> None:
        """No more will come."""

    def drop(self) -> None:
        """Forget what was not given yet."""

    def resume_at(self, frame: int) -> bytes:
        """Go on with this frame; the silence to give in place of what was given for it and on."""

    async def run(self, give: Give) -> None:
        """Give everything; return when the speech has ended."""

    def resume(self, position: int) -> None:
        """Go on in a call whose speech is known up to a position; the spans tell what was given."""

    @property
    def queued_samples(self) -> int:
        """Samples that wait."""

    @property
    def position(self) -> int:
        """Samples of the caller's speech that were given or dropped."""


class FastFeeder:
    """Gives speech as it comes, at most a lead ahead of the frames that the caller has taken.

    What comes in smaller pieces is put together: the encoder cannot begin on less.
    """

    def __init__(
        self, clock: MediaClock, spans: SpeechSpans, measure: CallMeasure, lead: Lead
    ) -> None:
        self._clock = clock
        self._spans = spans
        self._measure = measure
        self._lead = lead
        self._queue = SpeechQueue()

    @property
    def queued_samples(self) -> int:
        """Those of the beginning of a piece wait for the caller, not the caller for them."""
        samples = self._queue.samples
        return samples if self._queue.is_ended else samples - samples % self._clock.piece_samples

    @property
    def position(self) -> int:
        return self._queue.position

    def resume(self, position: int) -> None:
        self._queue.position = position

    def put(self, pcm: bytes, sent_s_ago: float = 0.0) -> None:
        self._queue.put(pcm)
        if self._measure.speech_samples >= self._clock.first_samples:
            self._measure.first_unit_complete()

    def end(self) -> None:
        self._measure.first_unit_complete()
        self._queue.end()

    def drop(self) -> None:
        self._queue.drop()

    def resume_at(self, frame: int) -> bytes:
        self._spans.fed_samples = frame * self._clock.frame_samples
        self._lead.look_again()
        return b""

    async def run(self, give: Give) -> None:
        while await self._queue.wait(self._clock.piece_samples):
            await self._lead.wait(lambda: self._spans.fed_samples)
            pcm = self._queue.take(min(self.queued_samples, self._clock.hop_samples))
            if pcm:
                self._spans.fed(len(pcm) // SAMPLE_BYTES, is_speech=True)
                await give(pcm)


class RealtimeFeeder:
    """Gives one unit after another as the media clock reaches them, silence where speech lacks."""

    def __init__(
        self,
        media: MediaClock,
        spans: SpeechSpans,
        measure: CallMeasure,
        lead: Lead,
        clock: Clock,
    ) -> None:
        self._media = media
        self._spans = spans
        self._measure = measure
        self._lead = lead
        self._clock = clock
        self._queue = SpeechQueue()
        self._placement = Placement(self._queue)

    @property
    def queued_samples(self) -> int:
        return self._queue.samples

    @property
    def position(self) -> int:
        return self._queue.position

    def resume(self, position: int) -> None:
        self._queue.position = position
        self._placement.resume(self._spans.fed_samples, self._spans.speech_end)

    def put(self, pcm: bytes, sent_s_ago: float = 0.0) -> None:
        self._placement.put(pcm, self._media.position(self._clock.now() - sent_s_ago))

    def end(self) -> None:
        self._queue.end()

    def drop(self) -> None:
        self._placement.drop()

    def resume_at(self, frame: int) -> bytes:
        """The clock goes on: what was given for the frames to come becomes silence."""
        given = self._spans.fed_samples - frame * self._media.frame_samples
        return bytes(max(0, given) * SAMPLE_BYTES)

    async def run(self, give: Give) -> None:
        target = self._media.unit_end_after(self._spans.fed_samples)
        while True:
            await self._clock.sleep_until(self._media.feed_at_s(target))
            await self._lead.wait(lambda: self._spans.fed_samples)
            is_last = self._queue.is_ended and self._placement.end <= target
            until = max(self._spans.fed_samples, self._placement.end) if is_last else target
            await self._feed(until, give)
            self._note_first_unit(target)
            if is_last:
                return
            target += self._media.hop_samples

    async def _feed(self, until: int, give: Give) -> None:
        pieces = self._placement.feed(until)
        for is_speech, pcm in pieces:
            self._spans.fed(len(pcm) // SAMPLE_BYTES, is_speech)
        if pieces:
            await give(b"".join(pcm for _, pcm in pieces))

    def _note_first_unit(self, position: int) -> None:
        """The first speech frame could be computed from when the clock was at `position` on."""
        frame = self._spans.first_frame
        if frame is not None and position >= self._media.needed_for(frame):
            self._measure.first_unit_complete(self._media.moment_s(position))
