"""How much brighter than usual a whole recording's voice is: what opens the lips further."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]

from ditto.packs.starter import brightness
from ditto.packs.starter.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, power_spectrum

Array = NDArray[np.float32]

RATE = SAMPLE_RATE_HZ // HOP_SAMPLES
"""Values a second."""
_SMOOTH_STEPS = 3


def voice_brightness(samples: Array) -> Array:
    """(steps,) dB at `RATE`: share of the upper formants in a clean voice (n,), over its usual one.

    0 where nothing is voiced.
    """
    power = power_spectrum(samples[None])[0]
    bright_db, level_db = brightness.formant_share_db(power), brightness.voice_level_db(power)
    voiced = brightness.voicing(level_db, np.percentile(level_db, 95))
    usual_db = (bright_db * voiced).sum() / voiced.sum()
    beyond = np.clip(bright_db - usual_db, -brightness.MOST_DB, brightness.MOST_DB) * voiced
    return np.asarray(gaussian_filter1d(beyond, _SMOOTH_STEPS), np.float32)
