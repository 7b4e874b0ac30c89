"""Places where nobody speaks: fans, streets, rain, crowds far away, keyboards, clatter, rustling.

Synthesised as the ear would describe them: a spectrum of a few resonances over pink or brown noise,
and a level that swells, trembles or comes in bursts over a quiet floor, as recorded noise does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]
from scipy.signal import butter, lfilter, sosfilt  # type: ignore[import-untyped]

from ditto.training.speech.phones import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]
Curve = NDArray[np.float64]

_CONTROL_HZ = 100
_DISTANT_TALKERS = 24


def make(kind: str, count: int, rng: np.random.Generator) -> Samples:
    """``count`` samples of one of `KINDS`, at most 1 in size."""
    sound = _MAKERS[kind](count, rng)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), np.float32)


def _fan(count: int, rng: np.random.Generator) -> Curve:
    """Steady, with a hum of the blades."""
    hum = np.sin(2 * np.pi * rng.uniform(40, 240) * np.arange(count) / SAMPLE_RATE_HZ)
    noise = _coloured(count, rng)
    return np.asarray(noise + rng.uniform(0, 0.5) * noise.std() * hum)


def _street(count: int, rng: np.random.Generator) -> Curve:
    """Low rumble and vehicles that pass: bright while near."""
    near = _swell(count, rng, seconds=rng.uniform(0.5, 3))
    hiss = _band(rng.normal(size=count), *sorted(rng.uniform(300, 4000, 2)))
    return _coloured(count, rng, darkest=True) + 0.3 * near**2 * hiss


def _rain(count: int, rng: np.random.Generator) -> Curve:
    """A hiss of many small impacts."""
    drops = rng.normal(size=count) * (rng.random(count) < rng.uniform(0.002, 0.2))
    low = rng.uniform(200, 1500)
    return _band(drops, low, rng.uniform(2, 5) * low) + 0.02 * _coloured(count, rng)


def _crowd(count: int, rng: np.random.Generator) -> Curve:
    """Distant murmur: so many trembling resonances that no syllable stands out."""
    sound = np.zeros(count)
    for _ in range(_DISTANT_TALKERS):
        middle = rng.uniform(200, 2500)
        level = _swell(count, rng, seconds=rng.uniform(0.1, 0.4))
        sound += level * _band(rng.normal(size=count), 0.85 * middle, 1.15 * middle)
    return sound


def _clatter(count: int, rng: np.random.Generator) -> Curve:
    """Dishes, doors, steps: knocks that ring, alone and in series, over a quiet room."""
    knocks = np.zeros(count)
    at = 0
    while (at := at + int(SAMPLE_RATE_HZ * rng.exponential(rng.choice([0.08, 0.3, 1.0])))) < count:
        knocks[at] = rng.uniform(0.1, 1)
    seconds = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    sound = np.zeros(count)
    for _ in range(int(rng.integers(1, 5))):
        ring = np.sin(2 * np.pi * rng.uniform(80, 5000) * seconds + rng.uniform(0, 6))
        ring = ring + rng.uniform(0, 1) * rng.normal(size=len(seconds))
        sound += np.convolve(knocks, ring * np.exp(-seconds * rng.uniform(15, 150)))[:count]
    return sound + rng.uniform(0.001, 0.05) * _coloured(count, rng)


def _rustle(count: int, rng: np.random.Generator) -> Curve:
    """Cloth, paper, wind on the microphone: bursts of noise of 0.05 to 0.8 s, 10 to 40 dB up."""
    level = np.zeros(count)
    at = int(SAMPLE_RATE_HZ * rng.exponential(0.5))
    while at < count:
        size = min(count - at, int(SAMPLE_RATE_HZ * rng.uniform(0.05, 0.8)))
        level[at : at + size] += np.hanning(size + 2)[1:-1] * rng.uniform(0.1, 1)
        at += int(SAMPLE_RATE_HZ * rng.exponential(rng.choice([0.2, 0.8])))
    floor = 10 ** (rng.uniform(-40, -10) / 20)
    return (level + floor) * _coloured(count, rng)


_MAKERS = {
    "fan": _fan,
    "street": _street,
    "rain": _rain,
    "crowd": _crowd,
    "clatter": _clatter,
    "rustle": _rustle,
}
KINDS = tuple(_MAKERS)


def _coloured(count: int, rng: np.random.Generator, darkest: bool = False) -> Curve:
    """Noise between white and brown, with up to three broad resonances; about 1 in SD."""
    sound = lfilter([1], [1, -rng.uniform(0.95 if darkest else 0.0, 0.995)], rng.normal(size=count))
    for _ in range(int(rng.integers(0, 4))):
        middle = np.exp(rng.uniform(np.log(80), np.log(4000)))
        peak = _band(sound, middle / 1.3, middle * 1.3)
        sound = sound + rng.uniform(0.3, 3) * sound.std() / (peak.std() + 1e-9) * peak
    return np.asarray(sound / (sound.std() + 1e-9))


def _band(sound: Curve, low_hz: float, high_hz: float) -> Curve:
    high_hz = min(max(high_hz, low_hz + 50), 7500)
    band = butter(2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(band, sound))


def _swell(count: int, rng: np.random.Generator, seconds: float) -> Curve:
    """A level (count,) of 0 to 1 that changes about once in ``seconds``."""
    steps = count * _CONTROL_HZ // SAMPLE_RATE_HZ + 2
    curve = gaussian_filter1d(rng.normal(size=steps), seconds * _CONTROL_HZ / 2, mode="wrap")
    curve = (curve - curve.min()) / (np.ptp(curve) + 1e-9)
    times = np.arange(count) * _CONTROL_HZ / SAMPLE_RATE_HZ
    return np.asarray(np.interp(times, np.arange(steps), curve))
