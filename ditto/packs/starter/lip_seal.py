"""Lips that nearly meet, meet: the first step from sampled motion to drawn lips.

Samples hover a little open where speakers close their lips, in pauses and in quick p, b and m, and
open a little less than speakers do. Constants were chosen on real clips (docs/quality.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates

Array = NDArray[np.float32]

_FREE_GAP = 0.4
"""`lipGap` from which on lips part as sampled; 1 is a tenth of the face's height."""
_GAIN = 1.1
_GAP = coordinates.index("lipGap")


def seal_lips(motion: Array) -> Array:
    """Coordinates (T, C) with small lip gaps drawn shut and larger ones a tenth wider."""
    gap = motion[:, _GAP]
    share = np.clip(gap / _FREE_GAP, 0, 1)
    sealed = motion.copy()
    sealed[:, _GAP] = np.where(gap < 0, gap, _GAIN * gap * share**2 * (3 - 2 * share))
    return sealed
