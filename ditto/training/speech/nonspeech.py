"""Sounds that are no speech, for which the mouth must stay shut: silence, noise, hum, music."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter  # type: ignore[import-untyped]

from ditto.training.speech.phones import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]

KINDS = ("silence", "white", "coloured", "hum", "tones", "chords", "drums", "band", "clicks")


def make(kind: str, count: int, rng: np.random.Generator) -> Samples:
    """``count`` samples of one of `KINDS`, at most 1 in size."""
    makers = {
        "silence": lambda: rng.normal(0, 10 ** rng.uniform(-5, -3), count),
        "white": lambda: rng.normal(size=count),
        "coloured": lambda: coloured_noise(count, rng),
        "hum": lambda: _hum(count, rng),
        "tones": lambda: _melody(count, rng, voices=1),
        "chords": lambda: _melody(count, rng, voices=4),
        "drums": lambda: _drums(count, rng),
        "band": lambda: _melody(count, rng, voices=3) + 1.5 * _drums(count, rng),
        "clicks": lambda: _clicks(count, rng),
    }
    sound = np.asarray(makers[kind](), np.float64)
    if kind == "silence":
        return np.asarray(sound, np.float32)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), np.float32)


def coloured_noise(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise with a random tilt and a slow swell, as of fans, streets, rain."""
    noise = lfilter([1], [1, -rng.uniform(0.3, 0.99)], rng.normal(size=count))
    depth, phase = rng.uniform(0, 0.8), _phase(rng.uniform(0.1, 1.5), count)
    return np.asarray(noise * (1 + depth * np.sin(phase + rng.uniform(0, 6))))


def _phase(hz: float | NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return 2 * np.pi * np.cumsum(np.broadcast_to(hz, count)) / SAMPLE_RATE_HZ


def _hum(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    base = rng.choice([50.0, 60.0, 100.0, 120.0])
    partials = sum(rng.uniform(0, 1) / k * np.sin(_phase(base * k, count)) for k in range(1, 12))
    return partials + 0.1 * rng.normal(size=count)


def _melody(count: int, rng: np.random.Generator, voices: int) -> NDArray[np.float64]:
    """Notes of random timbre, attack and vibrato on a random beat."""
    sound = np.zeros(count)
    for _ in range(voices):
        start, beat = 0, int(SAMPLE_RATE_HZ * rng.choice([0.15, 0.25, 0.5, 1.0]))
        harmonics = rng.uniform(0, 1, 10) / np.arange(1, 11) ** rng.uniform(0.5, 2)
        decay = rng.uniform(1, 12)
        while start < count:
            size = min(beat * int(rng.integers(1, 4)), count - start)
            note = 110 * 2 ** (rng.integers(0, 36) / 12)
            wobble = 1 + 0.006 * np.sin(_phase(5.5, size))
            phase = _phase(note * wobble, size)
            tone = sum(a * np.sin(phase * (k + 1)) for k, a in enumerate(harmonics))
            seconds = np.arange(size) / SAMPLE_RATE_HZ
            envelope = np.minimum(seconds / 0.02, 1) * np.exp(-seconds * decay)
            sound[start : start + size] += tone * envelope * (rng.random() < 0.85)
            start += size
    return sound


def _drums(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    sound = np.zeros(count)
    beat = int(SAMPLE_RATE_HZ * rng.uniform(0.12, 0.3))
    seconds = np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ
    pitch = 50 * seconds + 8 * (1 - np.exp(-seconds * 30))
    kick = np.sin(2 * np.pi * pitch) * np.exp(-seconds * 18)
    for index, start in enumerate(range(0, count, beat)):
        snare = rng.normal(size=len(seconds)) * np.exp(-seconds * rng.uniform(20, 60))
        hit = (kick if index % 4 == 0 else 0.4 * snare)[: count - start]
        sound[start : start + len(hit)] += hit * (rng.random() < 0.8)
    return sound


def _clicks(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Keyboards, doors, dishes: rare short ringing bursts."""
    sound = 0.002 * rng.normal(size=count)
    for start in rng.integers(0, count, max(1, int(count / SAMPLE_RATE_HZ * 3))):
        seconds = np.arange(min(3200, count - start)) / SAMPLE_RATE_HZ
        ring = np.sin(2 * np.pi * rng.uniform(300, 4000) * seconds) + rng.normal(size=len(seconds))
        sound[start : start + len(seconds)] += ring * np.exp(-seconds * rng.uniform(20, 150))
    return sound
