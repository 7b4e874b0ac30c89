"""Which frames are speech, and the events that tell a caller so.

The rule: speech starts with the frame of the first sample that the caller sent, and ends with the
frame of the last one before silence was filled in for at least `PAUSE_SECONDS`, before an
interrupt, or before the end of the call. In FAST pacing nothing is filled in, so a pause in sending
is none in the speech.
"""

from __future__ import annotations

from collections import deque

from ditto.v1 import animation_pb2 as pb
from ditto.v1.resume_pb2 import SpeechProgress
from gateway.call.media_clock import SAMPLE_RATE_HZ, MediaClock

PAUSE_SECONDS = 0.2


class SpeechSpans:
    """Follows what was given to the encoder; told of each frame before it is sent."""

    def __init__(self, clock: MediaClock) -> None:
        self._clock = clock
        self._events: deque[pb.Event] = deque()
        self._speech_end = 0
        self._is_speaking = False
        self._is_told_speaking = False
        self.fed_samples = 0
        """Samples given to the encoder."""
        self.first_frame: int | None = None
        """The first frame that speech shapes."""

    def fed(self, samples: int, is_speech: bool) -> None:
        """So many samples were given to the encoder."""
        if is_speech and samples:
            self._start()
        self.fed_samples += samples
        if is_speech:
            self._speech_end = self.fed_samples
        elif self.fed_samples - self._speech_end >= PAUSE_SECONDS * SAMPLE_RATE_HZ:
            self.stop()

    def stop(self) -> None:
        """The speech so far was all of it."""
        if self._is_speaking:
            self._is_speaking = False
            self._add(pb.EVENT_KIND_SPEECH_ENDED, self.last_frame)

    def interrupt(self, kept: int) -> int:
        """No speech after frame `kept` is shown; the last frame that shows some, -1 without any."""
        last = min(self.last_frame, kept)
        self._events.clear()
        self._is_speaking = False
        self._speech_end = min(self._speech_end, (last + 1) * self._clock.frame_samples)
        if self._is_told_speaking:
            self._add(pb.EVENT_KIND_SPEECH_ENDED, last)
        return last

    @property
    def speech_end(self) -> int:
        """Position where the speech given so far ends."""
        return self._speech_end

    @property
    def last_frame(self) -> int:
        """The last frame of the speech given so far; -1 before any."""
        return self._clock.frame_of(self._speech_end - 1) if self._speech_end else -1

    def events_before(self, frame: int) -> list[pb.Event]:
        """What to tell before this frame: a start with its frame, an end after its frame."""
        due = []
        while self._events and self._is_due(self._events[0], frame):
            event = self._events.popleft()
            self._is_told_speaking = event.kind == pb.EVENT_KIND_SPEECH_STARTED
            due.append(event)
        return due

    def progress(self) -> SpeechProgress:
        """Everything known, for a call that goes on elsewhere."""
        return SpeechProgress(
            fed_samples=self.fed_samples,
            speech_end=self._speech_end,
            is_speaking=self._is_speaking,
            is_told_speaking=self._is_told_speaking,
            first_frame=self.first_frame,
            events=self._events,
        )

    def resume(self, known: SpeechProgress, next_frame: int) -> None:
        """Go on from what was known; the caller has every frame before `next_frame`."""
        self.fed_samples = known.fed_samples
        self._speech_end = known.speech_end
        self._is_speaking = known.is_speaking
        self._is_told_speaking = known.is_told_speaking
        self.first_frame = known.first_frame if known.HasField("first_frame") else None
        self._events.extend(known.events)
        self.events_before(next_frame - 1)

    def remaining_events(self) -> list[pb.Event]:
        """What to tell after the last frame."""
        self.stop()
        return list(self._events)

    def _start(self) -> None:
        if self._is_speaking:
            return
        self._is_speaking = True
        frame = self._clock.frame_of(self.fed_samples)
        self._add(pb.EVENT_KIND_SPEECH_STARTED, frame)
        if self.first_frame is None:
            self.first_frame = frame

    def _add(self, kind: pb.EventKind, frame: int) -> None:
        self._events.append(pb.Event(kind=kind, frame_index=frame))

    @staticmethod
    def _is_due(event: pb.Event, frame: int) -> bool:
        is_start = event.kind == pb.EVENT_KIND_SPEECH_STARTED
        return event.frame_index <= frame if is_start else event.frame_index < frame
