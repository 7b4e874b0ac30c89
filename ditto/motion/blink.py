"""When to blink from a table: which of its rows each frame shows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

BLINK_FRAMES = 15
"""Frames of one blink; row 0 of the table is the open eye."""
ENDLESS_FRAMES = 3000
"""Length of the list where the number of frames is not known; it is repeated."""
_RANDOM_OPEN_FRAMES = (60, 100)


def blink_rows(
    frames: int, open_frames: int | Sequence[int], rng: random.Random
) -> NDArray[np.int64]:
    """Table row of each frame (frames,): the ramp 0..14 between spans of 0, which close the list.

    ``open_frames``: -1 never blinks, 0 draws spans of 60..100 frames from ``rng``, n > 0 keeps them
    fixed, a sequence is cycled (and its last entry is the closing span).
    """
    rows = np.zeros(frames, np.int64)
    if open_frames == -1:
        return rows
    if open_frames == 0:
        start, closing = rng.randint(*_RANDOM_OPEN_FRAMES), rng.randint(*_RANDOM_OPEN_FRAMES)
        spans = iter(lambda: rng.randint(*_RANDOM_OPEN_FRAMES), 0)
    else:
        fixed = [open_frames] if isinstance(open_frames, int) else list(open_frames)
        spans, closing = cycle(fixed), fixed[-1]
        start = next(spans)
    while start < frames - max(closing, BLINK_FRAMES):
        rows[start : start + BLINK_FRAMES] = np.arange(BLINK_FRAMES)
        start += BLINK_FRAMES + next(spans)
    return rows
