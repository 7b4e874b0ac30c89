"""Brightness of a window's frames: of the voice alone, and at any level."""

from __future__ import annotations

import numpy as np

from ditto.packs.starter.brightness import COUNT, measure_brightness
from ditto.packs.starter.mel import power_spectrum

BRIGHT_DB, VOICED = range(COUNT)


def buzz(*spectra: tuple[float, float]) -> np.ndarray:
    """A voice of 120 Hz: (seconds, amplitude of what lies above 1.2 kHz over that below)."""
    counts = [int(seconds * 16_000) for seconds, _ in spectra]
    times = np.arange(sum(counts)) / 16_000
    above = np.repeat([amplitude for _, amplitude in spectra], counts)
    harmonics = [np.sin(2 * np.pi * hertz * times) / 5 for hertz in range(120, 5000, 120)]
    return np.asarray(sum(harmonics[:10]) + above * sum(harmonics[10:]), np.float32)


def heard_in(samples: np.ndarray) -> np.ndarray:
    """(5, 2) of a window of one second, whose unit lies from 0.72 to 0.92 s."""
    return measure_brightness(power_spectrum(samples[None]))[0]


def test_frames_are_as_bright_as_the_voice_is_then() -> None:
    rising = heard_in(buzz((0.8, 0.1), (0.2, 0.6)))
    assert rising.shape == (5, COUNT)
    assert rising[0, BRIGHT_DB] < rising[4, BRIGHT_DB] - 6
    assert (np.diff(rising[:, BRIGHT_DB]) > -0.1).all()


def test_the_level_does_not_matter() -> None:
    sound = buzz((0.5, 0.1), (0.5, 0.4))
    np.testing.assert_allclose(heard_in(sound / 10), heard_in(sound), atol=0.3)


def test_silence_is_neither_bright_nor_dark() -> None:
    assert np.abs(heard_in(np.zeros(16_000, np.float32))[:, BRIGHT_DB]).max() < 1e-5
    hiss = np.random.default_rng(0).normal(0, 1e-3, 6_400).astype(np.float32)
    after_voice = heard_in(np.concatenate([buzz((0.6, 0.2)), hiss]))
    assert np.abs(after_voice[:, BRIGHT_DB]).max() < 1
    assert after_voice[:, VOICED].max() < 0.1 < 0.9 < heard_in(buzz((1.0, 0.2)))[:, VOICED].min()
