"""The one continuous clock of a call: samples of speech, frames, and when each is due."""

from __future__ import annotations

import math
from dataclasses import dataclass

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
"""Speech travels to the audio encoder as signed 16-bit mono."""


@dataclass(frozen=True)
class MediaClock:
    """Positions are samples at 16 kHz from the start of the call, moments are seconds.

    Speech is handed to the encoder in the units that it works in: up to `first_samples`, then
    every `hop_samples`.
    """

    frame_rate: int
    first_samples: int
    """Speech that the first frame waits for: hop and look-ahead."""
    hop_samples: int
    start_s: float = 0.0
    """REALTIME: when position 0 is now."""
    jitter_s: float = 0.0
    """REALTIME: how late speech may arrive and still follow on."""
    margin_s: float = 0.0
    """REALTIME: time to compute a frame."""

    @property
    def frame_samples(self) -> int:
        """Samples of one frame."""
        return SAMPLE_RATE_HZ // self.frame_rate

    @property
    def piece_samples(self) -> int:
        """What all units of the encoder consist of."""
        return math.gcd(self.first_samples, self.hop_samples)

    @property
    def hop_frames(self) -> int:
        """Frames of one unit."""
        return max(1, self.hop_samples // self.frame_samples)

    @property
    def delay_s(self) -> float:
        """From a frame's place on the clock to its sending."""
        return self.first_samples / SAMPLE_RATE_HZ + self.jitter_s + self.margin_s

    def pts_us(self, frame: int) -> int:
        """Presentation time of a frame."""
        return frame * 1_000_000 // self.frame_rate

    def due_s(self, frame: int) -> float:
        """When a frame must leave."""
        return self.start_s + self.delay_s + frame / self.frame_rate

    def frame_due(self, moment_s: float) -> int:
        """The first frame that need not have left by a moment."""
        return max(0, math.ceil((moment_s - self.start_s - self.delay_s) * self.frame_rate))

    def position(self, moment_s: float) -> int:
        """Where the clock is at a moment."""
        return round((moment_s - self.start_s) * SAMPLE_RATE_HZ)

    def moment_s(self, position: int) -> float:
        """When the clock is at a position."""
        return self.start_s + position / SAMPLE_RATE_HZ

    def feed_at_s(self, position: int) -> float:
        """When speech up to a position is handed to the encoder."""
        return self.moment_s(position) + self.jitter_s

    def frame_of(self, sample: int) -> int:
        """The frame that shows a sample."""
        return sample // self.frame_samples

    def frames_in(self, samples: int) -> int:
        """Frames that so many samples give, the last one perhaps begun only."""
        return -(-samples // self.frame_samples)

    def unit_end_after(self, position: int) -> int:
        """Where the unit of speech ends that begins or goes on at a position."""
        begun = max(0, position - self.first_samples + self.hop_samples)
        return self.first_samples + begun // self.hop_samples * self.hop_samples

    def needed_for(self, frame: int) -> int:
        """Position up to which the speech must be known before a frame can be computed."""
        return self.first_samples + frame // self.hop_frames * self.hop_samples
