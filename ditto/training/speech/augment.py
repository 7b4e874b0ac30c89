"""What happens to a voice between mouth and microphone: tilt, room, telephone, noise, level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt  # type: ignore[import-untyped]

from ditto.training.speech import nonspeech
from ditto.training.speech.phones import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]


def augment(samples: Samples, rng: np.random.Generator) -> Samples:
    """A clean recording as a random microphone would hear it; timing is untouched."""
    sound = np.asarray(samples, np.float64)
    if rng.random() < 0.5:
        sound = lfilter([1, rng.uniform(-0.5, 0.5)], [1], sound)
    if rng.random() < 0.35:
        sound = _room(sound, rng)
    if rng.random() < 0.6:
        sound = _noise(sound, rng)
    if rng.random() < 0.12:
        sound = _telephone(sound)
    level = 10 ** (rng.uniform(-18, -1) / 20)
    return np.asarray(sound / (np.abs(sound).max() + 1e-9) * level, np.float32)


def _room(sound: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    size = int(SAMPLE_RATE_HZ * rng.uniform(0.08, 0.3))
    response = rng.normal(size=size) * np.exp(-np.arange(size) / (size / 6))
    response[0] = rng.uniform(6, 12)
    return np.asarray(fftconvolve(sound, response / response[0])[: len(sound)])


def _noise(sound: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    kind = str(rng.choice(["white", "coloured", "coloured", "hum", "clicks", "band"]))
    noise = nonspeech.make(kind, len(sound), rng)
    ratio_db = rng.uniform(8, 30)
    gain = np.sqrt((sound**2).mean() / ((noise**2).mean() + 1e-12) / 10 ** (ratio_db / 10))
    return np.asarray(sound + gain * noise)


def _telephone(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    band = butter(4, [300, 3400], "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(band, sound))
