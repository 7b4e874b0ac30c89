"""The last seconds of speech that an encoder session was given, for one that must start over."""

from __future__ import annotations

from ditto.motion.layout import FPS
from gateway.call.media_clock import SAMPLE_BYTES, SAMPLE_RATE_HZ

CONTEXT_FRAMES = 3 * FPS
"""What an encoder hears again before the first frame that is wanted of it."""
_FRAME_BYTES = SAMPLE_RATE_HZ // FPS * SAMPLE_BYTES


class HeardSpeech:
    """A window on the session's speech that begins at a whole second, as the units of encoders do.

    Bounded by the context and by how far the speech runs ahead of its features.
    """

    def __init__(self, first_frame: int) -> None:
        """`first_frame` is the one that the session's speech begins with."""
        self._speech = bytearray()
        self._start = self._first_frame = first_frame

    def add(self, pcm: bytes) -> None:
        """Samples go to the encoder."""
        self._speech += pcm

    def forget(self, frame: int) -> None:
        """Features up to a frame have come back."""
        seconds = max(0, frame - CONTEXT_FRAMES - self._start) // FPS
        first = self._start + seconds * FPS
        if first > self._first_frame:
            del self._speech[: (first - self._first_frame) * _FRAME_BYTES]
            self._first_frame = first

    def again(self) -> tuple[int, bytes]:
        """The frame that the window begins with, and all the speech from there on."""
        return self._first_frame, bytes(self._speech)
