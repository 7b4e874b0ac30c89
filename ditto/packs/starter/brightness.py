"""How bright a voice sounds, frame by frame.

The area of a mouth follows the energy around the second formant more closely than that of the whole
sound (Grant and Seitz 2000): open lips let it out, rounded ones damp it. A recogniser's features
tell the kind of sound and lose this.
"""

from __future__ import annotations

import numpy as np

from ditto.packs.starter.mel import POWER_BINS, SAMPLE_RATE_HZ
from ditto.packs.starter.whisper_window import (
    KEPT_FRAMES,
    LOOK_AHEAD_FRAMES,
    STACKED,
    WINDOW_MEL_FRAMES,
)
from ditto.stages import Array

COUNT = 2
"""Numbers in a frame: brightness times voicing, in dB, and voicing, 0 to 1."""
SPEECH, BRIGHT = slice(None, -COUNT), slice(-COUNT, None)
"""The recogniser's part of a feature frame, and these."""
_MOST_DB = 15.0
_VOICED_DB, _VOICED_WIDTH_DB = -20.0, 3.0
"""Where the voice's own band lies so far below the loud parts of its window, it counts half."""
_FORMANTS_HZ, _HEARD_HZ, _VOICE_HZ = (1200, 5000), (100, 7800), (100, 1000)
_USUAL_SHARE = 0.02
"""-17 dB, a usual voice's."""
_SILENCE = 1e-3
"""Power that is no sound."""
_FRAME_STEPS = 2 * STACKED
_START = WINDOW_MEL_FRAMES - 2 * (KEPT_FRAMES + LOOK_AHEAD_FRAMES)
_STOP = _START + 2 * KEPT_FRAMES


def measure_brightness(power: Array) -> Array:
    """(B, 5, 2) of windows' power spectra (B, 100, 201), for the five frames of their units."""
    formants, heard = _band(power, _FORMANTS_HZ), _band(power, _HEARD_HZ)
    share = (formants + _USUAL_SHARE * _SILENCE) / (heard + _SILENCE)
    bright_db = np.clip(10 * np.log10(share / _USUAL_SHARE), -_MOST_DB, _MOST_DB)
    level_db = 10 * np.log10(_band(power, _VOICE_HZ) + _SILENCE)
    loud_db = np.percentile(level_db, 95, axis=1, keepdims=True)
    voiced = 1 / (1 + np.exp((loud_db + _VOICED_DB - level_db) / _VOICED_WIDTH_DB))
    frames = [_per_frame(bright_db * voiced), _per_frame(voiced)]
    return np.stack(frames, axis=-1).astype(np.float32)


def _band(power: Array, band_hz: tuple[int, int]) -> Array:
    low, high = (round(hz * 2 * (POWER_BINS - 1) / SAMPLE_RATE_HZ) for hz in band_hz)
    return np.asarray(power[..., low:high].sum(-1))


def _per_frame(steps: Array) -> Array:
    """(B, 5) means of (B, 100) over each frame and half of its neighbours."""
    reach = _FRAME_STEPS // 2
    around = steps[:, _START - reach : _STOP + reach]
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _FRAME_STEPS, axis=1)
    return np.asarray(windows[:, ::_FRAME_STEPS].mean(-1))
