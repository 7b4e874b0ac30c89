"""How loud speech is: what the mouth is compared with when no network listens, and who speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.training.evaluation.talking_video import FRAME_SAMPLES

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]

_RANGE_DB = 30.0
_SPEECH_LEVEL = 0.4
_SPEECH_REACH_FRAMES = 3
SILENCE_REACH_FRAMES = 8
_SILENT_RMS = 0.003
_KERNEL = np.exp(-0.5 * (np.arange(-4, 5) / 1.2) ** 2)


def loudness(samples: Array, frames: int) -> Array:
    """(T,) 0 (30 dB below the loud parts, or less) to 1, smoothed over about 0.1 s."""
    level_db = 20 * np.log10(_rms(samples, frames) + 3e-5)
    loud = np.percentile(level_db, 95)
    level = np.clip((level_db - loud + _RANGE_DB) / _RANGE_DB, 0, 1)
    padded = np.pad(level, 4, mode="edge")
    return np.convolve(padded, _KERNEL / _KERNEL.sum(), "valid").astype(np.float32)


def speech_frames(samples: Array, frames: int) -> Flags:
    """(T,): within three frames of a loud one."""
    return near(loudness(samples, frames) > _SPEECH_LEVEL, _SPEECH_REACH_FRAMES)


def silent_frames(samples: Array, frames: int) -> Flags:
    """(T,): more than 0.3 s away from any loud frame, so that lips have had time to close."""
    rms = _rms(samples, frames)
    if rms.max(initial=0) < _SILENT_RMS:
        return np.ones(frames, bool)
    return ~near(loudness(samples, frames) > _SPEECH_LEVEL, SILENCE_REACH_FRAMES)


def near(flags: Flags, frames: int) -> Flags:
    """(T,): at most so many frames from a set flag."""
    padded = np.pad(flags, frames)
    return np.asarray(np.convolve(padded, np.ones(2 * frames + 1), "valid") > 0)


def _rms(samples: Array, frames: int) -> Array:
    padded = np.zeros(frames * FRAME_SAMPLES, np.float64)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    return np.asarray(np.sqrt((padded.reshape(frames, FRAME_SAMPLES) ** 2).mean(1)))
