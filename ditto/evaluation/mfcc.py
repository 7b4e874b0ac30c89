"""Mel-frequency cepstral coefficients as SyncNet knows them: 13 a frame, 100 frames a second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE_HZ = 16_000
_WINDOW, _HOP, _FFT = 400, 160, 512
_FILTERS, _COEFFICIENTS, _LIFTER, _EMPHASIS = 26, 13, 22, 0.97
_TINY = np.finfo(float).eps


def mfcc(samples: NDArray[np.float32]) -> Array:
    """(T, 13) of samples (n,) at 16 kHz in [-1, 1]; the first coefficient is the log energy."""
    sound = np.round(samples.astype(np.float64) * 32768)
    sound = np.append(sound[:1], sound[1:] - _EMPHASIS * sound[:-1])
    frames = 1 + max(0, -(-(len(sound) - _WINDOW) // _HOP))
    padded = np.zeros((frames - 1) * _HOP + _WINDOW)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _FFT
    bands = np.log(np.maximum(power @ _filters().T, _TINY))
    coefficients = bands @ _cosines().T * _lift()
    coefficients[:, 0] = np.log(np.maximum(power.sum(1), _TINY))
    return np.asarray(coefficients)


def _filters() -> Array:
    """(26, 257) triangles, evenly spaced in mel from 0 to 8 kHz."""
    top_mel = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, top_mel, _FILTERS + 2) / 2595) - 1)
    bins = np.floor((_FFT + 1) * edges_hz / RATE_HZ)
    at = np.arange(_FFT // 2 + 1)
    low, middle, high = (bins[i : i + _FILTERS, None] for i in range(3))
    rising = np.where((at >= low) & (at < middle), (at - low) / np.maximum(middle - low, 1), 0)
    falling = np.where((at >= middle) & (at < high), (high - at) / np.maximum(high - middle, 1), 0)
    return np.asarray(rising + falling)


def _cosines() -> Array:
    """(13, 26) orthonormal cosine transform of type 2."""
    rows, columns = np.arange(_COEFFICIENTS)[:, None], np.arange(_FILTERS)
    basis = np.cos(np.pi * rows * (2 * columns + 1) / (2 * _FILTERS)) * np.sqrt(2 / _FILTERS)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis)


def _lift() -> Array:
    return np.asarray(1 + _LIFTER / 2 * np.sin(np.pi * np.arange(_COEFFICIENTS) / _LIFTER))
