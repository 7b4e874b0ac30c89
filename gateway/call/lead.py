"""How far the stages may be ahead of what the caller has received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.call.media_clock import MediaClock


class Lead:
    """Makes the feeder wait while the speech given is too far ahead of the frames sent."""

    def __init__(self, clock: MediaClock, most_samples: int) -> None:
        self._clock = clock
        self._most_samples = most_samples
        self._sent_frames = 0
        self._frame_sent = asyncio.Event()

    def sent(self, frame: int) -> None:
        """A frame has gone to the caller."""
        self._sent_frames = frame + 1
        self._frame_sent.set()

    def look_again(self) -> None:
        """What was fed has become less."""
        self._frame_sent.set()

    async def wait(self, fed_samples: Callable[[], int]) -> None:
        """Return once there is room beyond `fed_samples`."""
        while fed_samples() - self._sent_frames * self._clock.frame_samples > self._most_samples:
            self._frame_sent.clear()
            await self._frame_sent.wait()
