"""Lips that part further where the voice is brighter than it usually is: the last step of motion.

What the network makes of the kind of sound is an average opening of it; how far this one was opened
is heard in its brightness. Constants were chosen on real clips (docs/quality.md).
"""

from __future__ import annotations

import numpy as np

from ditto.packs.starter import coordinates
from ditto.stages import Array

_GAP_PER_DB = 0.019
"""`lipGap` for a decibel beyond the voice's usual brightness."""
_HELD_GAP, _FREE_GAP = 0.1, 0.24
"""`lipGap` up to which lips do not follow, being all but closed, and from which on they do."""
_TRUSTED_FRAMES = 50.0
"""A voice is taken for a usual one until about so many frames were heard."""
_MEMORY_FRAMES = 500.0
_GAP = coordinates.index("lipGap")


def heard_so_far(before: Array, frames: Array) -> Array:
    """(2,) sums of a call's brightness and voicing after more frames (T, 2); older ones fade."""
    fading = np.float32(1 - len(frames) / _MEMORY_FRAMES)
    return np.asarray(before * fading + frames.sum(0), np.float32)


def follow_voice(motion: Array, frames: Array, heard: Array) -> Array:
    """Coordinates (T, C) with the lips' gap as this voice opens it.

    frames (T, 2): `brightness.measure_brightness`; heard (2,): `heard_so_far`, these among it.
    """
    usual_db = heard[0] / (heard[1] + _TRUSTED_FRAMES)
    brighter_db = frames[:, 0] - usual_db * frames[:, 1]
    gap = motion[:, _GAP]
    free = np.clip((gap - _HELD_GAP) / (_FREE_GAP - _HELD_GAP), 0, 1)
    followed = motion.copy()
    followed[:, _GAP] += np.maximum(_GAP_PER_DB * brighter_db, -gap) * free
    return followed
