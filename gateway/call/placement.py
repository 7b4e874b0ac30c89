"""REALTIME: where on the media clock arriving speech is spoken.

Speech that follows on, be it a little late, is placed without a gap, as long as nothing was given
in its place; after a pause it is placed where the clock is now. What no speech covers is silence.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateway.call.media_clock import SAMPLE_BYTES, SAMPLE_RATE_HZ
from gateway.call.speech_queue import SpeechQueue

PAUSE_SECONDS = 0.1
"""Speech that is later than this has paused; a network is seldom so late."""


@dataclass
class _Run:
    """Speech without a gap: positions `start` to `end`."""

    start: int
    end: int


class Placement:
    """Places on the clock for all that is in a speech queue."""

    def __init__(self, queue: SpeechQueue) -> None:
        self._queue = queue
        self._runs: deque[_Run] = deque()
        self._fed = 0
        self.end = 0
        """Position where the speech placed so far ends."""

    def resume(self, fed: int, end: int) -> None:
        """Go on where `fed` was reached and speech ended so far at `end`."""
        self._fed, self.end = fed, end

    def put(self, pcm: bytes, now: int) -> None:
        """Queue speech that arrives while the clock is at position `now`."""
        if not pcm:
            return
        is_pause = now - self.end > PAUSE_SECONDS * SAMPLE_RATE_HZ
        start = max(self._fed, now if is_pause else self.end)
        self.end = start + len(pcm) // SAMPLE_BYTES
        if self._runs and self._runs[-1].end == start:
            self._runs[-1].end = self.end
        else:
            self._runs.append(_Run(start, self.end))
        self._queue.put(pcm)

    def drop(self) -> None:
        """Forget what is queued."""
        self._queue.drop()
        self._runs.clear()
        self.end = min(self.end, self._fed)

    def feed(self, until: int) -> list[tuple[bool, bytes]]:
        """What lies between the position reached and `until`, in order: (is speech, samples)."""
        pieces: list[tuple[bool, bytes]] = []
        while self._fed < until:
            run = self._runs[0] if self._runs else None
            if run is None or run.start > self._fed:
                end = min(until, run.start) if run else until
                pieces.append((False, bytes((end - self._fed) * SAMPLE_BYTES)))
            else:
                end = min(until, run.end)
                pieces.append((True, self._queue.take(end - self._fed)))
                if end == run.end:
                    self._runs.popleft()
            self._fed = end
        return pieces
