"""Speech that has arrived and was not yet given to the encoder."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.media_clock import SAMPLE_BYTES


class SpeechQueue:
    """A first-in first-out queue of 16-bit mono samples, cut anew on the way out.

    Its bound is the most speech that a call may send, which whoever fills it checks.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._offset_bytes = 0
        self._changed = asyncio.Event()
        self.samples = 0
        """Samples in the queue."""
        self.is_ended = False
        """No more speech will come."""

    def put(self, pcm: bytes) -> None:
        """Add samples at the end."""
        if pcm:
            self._pieces.append(pcm)
            self.samples += len(pcm) // SAMPLE_BYTES
            self._changed.set()

    def end(self) -> None:
        """The caller has ended the speech."""
        self.is_ended = True
        self._changed.set()

    def drop(self) -> None:
        """Forget what is queued."""
        self._pieces.clear()
        self._offset_bytes = self.samples = 0

    def take(self, samples: int) -> bytes:
        """Up to so many samples from the front."""
        taken = []
        wanted = samples * SAMPLE_BYTES
        while wanted and self._pieces:
            piece = self._pieces[0]
            part = piece[self._offset_bytes : self._offset_bytes + wanted]
            self._offset_bytes += len(part)
            if self._offset_bytes == len(piece):
                self._pieces.popleft()
                self._offset_bytes = 0
            wanted -= len(part)
            taken.append(part)
        pcm = taken[0] if len(taken) == 1 else b"".join(taken)
        self.samples -= len(pcm) // SAMPLE_BYTES
        return pcm

    async def wait(self) -> bool:
        """Wait for speech; False when all has been taken and no more will come."""
        while not self.samples and not self.is_ended:
            self._changed.clear()
            await self._changed.wait()
        return self.samples > 0
