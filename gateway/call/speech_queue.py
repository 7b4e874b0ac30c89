"""Speech that has arrived and was not yet given to the encoder."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.call.media_clock import SAMPLE_BYTES

_BLOCK_BYTES = 32 * 1024


class SpeechQueue:
    """A first-in first-out queue of 16-bit mono samples, cut anew on the way out.

    Its bound is the most speech that a call may send, which whoever fills it checks. Small pieces
    share a block: each as an object of its own would take thirty times its memory.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytearray] = deque()
        self._offset_bytes = 0
        self._changed = asyncio.Event()
        self.samples = 0
        """Samples in the queue."""
        self.position = 0
        """Samples that have left it, taken or dropped."""
        self.is_ended = False
        """No more speech will come."""

    def put(self, pcm: bytes) -> None:
        """Add samples at the end."""
        if not pcm:
            return
        if self._pieces and len(self._pieces[-1]) < _BLOCK_BYTES:
            self._pieces[-1] += pcm
        else:
            self._pieces.append(bytearray(pcm))
        self.samples += len(pcm) // SAMPLE_BYTES
        self._changed.set()

    def end(self) -> None:
        """The caller has ended the speech."""
        self.is_ended = True
        self._changed.set()

    def drop(self) -> None:
        """Forget what is queued."""
        self.position += self.samples
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
        pcm = b"".join(taken)
        self.samples -= len(pcm) // SAMPLE_BYTES
        self.position += len(pcm) // SAMPLE_BYTES
        return pcm

    async def wait(self, least: int = 1) -> bool:
        """Wait for so many samples, or for the end; False when all has been taken and no more will
        come."""
        while self.samples < least and not self.is_ended:
            self._changed.clear()
            await self._changed.wait()
        return self.samples > 0
