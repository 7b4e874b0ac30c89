"""Change of playback speed, which moves pitch and formants: a pseudo-speaker from a real one."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def resample(samples: NDArray[np.floating], speed: float) -> Samples:
    """Samples (n,) played ``speed`` times faster, (n / speed,), band-limited."""
    if speed == 1:
        return np.asarray(samples, np.float32)
    return np.asarray(soxr.resample(samples, speed * 16_000, 16_000), np.float32)
