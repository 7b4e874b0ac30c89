"""Brightness of a window's frames, of the voice alone and at any level; lips that follow it."""

from __future__ import annotations

import numpy as np

from ditto.packs.starter import coordinates
from ditto.packs.starter.brightness import COUNT, follow_voice, heard_so_far, measure_brightness
from ditto.packs.starter.mel import power_spectrum

BRIGHT_DB, VOICED = range(COUNT)
GAP = coordinates.index("lipGap")


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


def test_lips_part_further_for_a_brighter_sound_and_stay_sealed() -> None:
    motion = np.full((4, coordinates.COUNT), 0.3, np.float32)
    motion[:, GAP] = [0.5, 0.5, 0.0, -0.1]
    frames = np.array([[8, 1], [-8, 1], [8, 1], [8, 1]], np.float32)
    followed = follow_voice(motion, frames, np.zeros(COUNT, np.float32))
    np.testing.assert_allclose(followed[:, GAP], [0.652, 0.348, 0, -0.1], atol=1e-3)
    others = np.delete(np.arange(coordinates.COUNT), GAP)
    np.testing.assert_array_equal(followed[:, others], motion[:, others])


def test_what_a_voice_usually_is_moves_nothing() -> None:
    heard, bright = np.zeros(COUNT, np.float32), np.tile(np.float32([10, 1]), (5, 1))
    open_lips = np.full((5, coordinates.COUNT), 0.5, np.float32)
    first = follow_voice(open_lips, bright, heard_so_far(heard, bright))[0, GAP]
    for _ in range(500):
        heard = heard_so_far(heard, bright)
    assert first > 0.65
    assert abs(follow_voice(open_lips, bright, heard)[0, GAP] - 0.5) < 0.03
    dark = -bright + [0, 2]  # another speaker: forgotten within a minute
    for _ in range(300):
        heard = heard_so_far(heard, dark)
    assert abs(follow_voice(open_lips, dark, heard)[0, GAP] - 0.5) < 0.05
