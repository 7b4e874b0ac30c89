"""The mouth opens with what the voice does, not with the kind of sound alone."""

from __future__ import annotations

import numpy as np

from ditto.training.speech.phones import PAUSE, SAMPLE_RATE_HZ, Samples, lay_out
from ditto.training.speech.takes import Take
from ditto.training.targets.brightness import RATE, voice_brightness
from ditto.training.targets.mouth import CONTROLS, mouth_curves

GAP = CONTROLS.index("lipGap")


def voice(*spectra: tuple[float, float]) -> Samples:
    """A buzz of 120 Hz: (seconds, amplitude of what lies above 1.2 kHz)."""
    times = np.arange(int(sum(s for s, _ in spectra) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    above = np.repeat([a for _, a in spectra], [int(s * SAMPLE_RATE_HZ) for s, _ in spectra])
    harmonics = [np.sin(2 * np.pi * f * times) / 5 for f in range(120, 5000, 120)]
    low, high = sum(harmonics[:10]), sum(harmonics[10:])
    return np.asarray(low + above * high, np.float32)


def test_the_share_of_the_formants_is_heard_at_any_level() -> None:
    sound = voice((0.5, 0.1), (0.5, 0.4))
    bright = voice_brightness(sound)
    assert len(bright) == RATE
    dull, clear = bright[10:40].mean(), bright[60:90].mean()
    assert dull < -2 < 2 < clear
    np.testing.assert_allclose(voice_brightness(sound / 20), bright, atol=0.1)


def test_what_is_no_voice_is_not_bright(take: Take) -> None:
    assert np.abs(voice_brightness(np.zeros(SAMPLE_RATE_HZ, np.float32))).max() < 1e-6
    hiss = np.random.default_rng(0).normal(0, 1e-3, SAMPLE_RATE_HZ // 2).astype(np.float32)
    after = voice_brightness(np.concatenate([voice((1.0, 0.2)), hiss]))[-RATE // 4 :]
    assert np.abs(after).max() < 1
    assert np.abs(take.bright_db).max() > 5


def test_a_brighter_voice_opens_the_mouth_further_but_no_closure() -> None:
    phones = lay_out([(PAUSE, 0.6), ("aa", 0.2), ("p", 0.08), ("ao", 0.2), (PAUSE, 0.6)])
    plain, bright, dark = (
        mouth_curves(phones, 42, np.full(42 * RATE // 25, decibels, np.float32))[:, GAP]
        for decibels in (0, 8, -8)
    )
    np.testing.assert_array_equal(plain, mouth_curves(phones, 42)[:, GAP])
    assert bright[17] > 1.1 * plain[17] > 1.2 * dark[17]
    assert max(bright[20:22].min(), dark[20:22].min()) < 0.05
    assert (dark >= 0).all()
    np.testing.assert_allclose(bright[:10], plain[:10], atol=0.02)
