"""Whisper's spectrogram: what is computed before the graph, and the mel bands within it.

25 ms Hann frames every 10 ms. The graph goes on from the power spectrum, because a matrix product
in numpy would start as many threads as the machine has cores.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ditto.stages import Array

SAMPLE_RATE_HZ = 16_000
MEL_BANDS = 80
HOP_SAMPLES = 160
FRAME_SAMPLES = 400
POWER_BINS = FRAME_SAMPLES // 2 + 1


def power_spectrum(samples: Array) -> Array:
    """Power (B, n // 160, 201) at 0 to 8 kHz of windows (B, n), mirrored at their borders."""
    half = FRAME_SAMPLES // 2
    padded = np.pad(samples, ((0, 0), (half, half)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES, axis=1)
    frames = frames[:, : samples.shape[1] // HOP_SAMPLES * HOP_SAMPLES : HOP_SAMPLES]
    spectrum = np.fft.rfft(frames * _hann(), axis=-1)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


def mel_bank() -> Array:
    """(201, 80) triangles of equal area, on the Slaney scale (linear to 1 kHz, then log)."""
    bins_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, POWER_BINS)
    edges_hz = _mel_to_hz(np.linspace(0, _hz_to_mel(SAMPLE_RATE_HZ / 2), MEL_BANDS + 2))
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz[:, None] - low) / (centre - low)
    falling = (high - bins_hz[:, None]) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (high - low)).astype(np.float32)


@cache
def _hann() -> Array:
    phase = 2 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


_BREAK_HZ = 1000.0
_HZ_PER_MEL = 200.0 / 3
_LOG_STEP = np.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_MEL
    return float(_BREAK_HZ / _HZ_PER_MEL + np.log(hz / _BREAK_HZ) / _LOG_STEP)


def _mel_to_hz(
    mel: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    break_mel = _BREAK_HZ / _HZ_PER_MEL
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - break_mel))
    return np.where(mel < break_mel, mel * _HZ_PER_MEL, above)
