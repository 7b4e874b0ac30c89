"""Where the noise of a sampling comes from: a call's seed, or as the released code draws it.

T frames, M motion numbers, S steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ditto.diffusion.few_step import keyed_noise

Array = NDArray[np.float32]


class SegmentNoise(NamedTuple):
    """The noise of one segment's sampling."""

    initial: Array
    """(1, T, M) what the sampling starts from."""
    steps: Array
    """(S - 1, 1, T, M) what each step but the last adds."""


def seeded_noise(
    seed: int, first_frame: int, frames: int, motion_dim: int, steps: int
) -> SegmentNoise:
    """Noise that depends on (seed, absolute frame) alone: a replayed segment comes out equal."""
    rows = keyed_noise(seed, first_frame, frames, steps * motion_dim)
    noise = rows.reshape(frames, steps, motion_dim).swapaxes(0, 1)[:, None]
    return SegmentNoise(initial=noise[0], steps=noise[1:])


class SharedStepNoise:
    """The released code's handling: fresh initial noise a segment, step noises drawn once.

    The step noises are drawn when the step count is set and then serve every segment of every
    session until it changes. Kept to compare with the released code; nothing can be replayed.
    """

    def __init__(self, frames: int, motion_dim: int, seed: int | None = None) -> None:
        self._shape = (1, frames, motion_dim)
        self._generator = np.random.default_rng(seed)
        self._steps = self._draw(0)

    def next_segment(self, steps: int) -> SegmentNoise:
        """The noise of the next segment to be sampled."""
        if len(self._steps) != steps - 1:
            self._steps = self._draw(steps - 1)
        return SegmentNoise(initial=self._draw(1)[0], steps=self._steps)

    def _draw(self, count: int) -> Array:
        return self._generator.standard_normal((count, *self._shape), np.float32)
