"""Takes: recordings of about 16 s with phone times, the unit of the training set."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from ditto.training.speech import ambience, nonspeech, sentences
from ditto.training.speech.augment import augment
from ditto.training.speech.espeak import EspeakVoice
from ditto.training.speech.flite import FliteVoice
from ditto.training.speech.kokoro import KokoroVoice
from ditto.training.speech.phones import PAUSE, SAMPLE_RATE_HZ, Phone, Samples, Utterance, shifted
from ditto.training.speech.piper import PiperVoice
from ditto.training.speech.resample import resample

TAKE_S = 16.0
_KOKORO_LANGUAGES = ("es", "fr", "it", "pt-br", "ja", "cmn-latn-pinyin")
"""Languages that Kokoro was trained on and that `sentences` has words of."""
_SPEEDS = (1.0, 1.0, 0.85, 0.9, 0.94, 1.06, 1.12, 1.18, 1.25)


class Voice(Protocol):
    name: str

    def draw_style(self, rng: random.Random) -> None: ...

    def speak(self, text: str) -> Utterance: ...


@dataclass(frozen=True)
class Take:
    """One recording. ``held_out`` takes are for validation: no network trains on their voice."""

    name: str
    voice: str
    samples: Samples
    phones: tuple[Phone, ...]
    held_out: bool


@dataclass(frozen=True)
class Portion:
    """So many minutes of one voice."""

    voice: str
    minutes: float
    held_out: bool = False


RECIPE = (
    *(Portion(f"flite-{name}", 8.0) for name in ("slt", "rms", "awb")),
    *(Portion(f"flite-{name}", 1.5, held_out=True) for name in ("kal16", "kal")),
    Portion("piper-joe", 14.0),
    Portion("kokoro-en", 14.0),
    *(Portion(f"kokoro-{language}", 0.5) for language in _KOKORO_LANGUAGES),
    Portion("espeak-en", 14.0),
    *(Portion(f"espeak-{language}", 1.0) for language in sentences.languages()),
    Portion("nonspeech", 8.0),
    Portion("ambience", 8.0),
)
_SOUNDS: dict[str, tuple[Sequence[str], Callable[..., Samples]]] = {
    "nonspeech": (nonspeech.KINDS, nonspeech.make),
    "ambience": (ambience.KINDS, ambience.make),
}
"""Kinds and maker of the voices that say nothing."""


def make_take(portion: Portion, index: int, voices: dict[str, Voice]) -> Take:
    """Take ``index`` of a portion.

    The same arguments always give the same words, style, pauses and room, and but for Piper and
    Kokoro, whose networks draw noise of their own, the same samples.
    """
    name = f"{portion.voice}-{index:03d}"
    rng = random.Random(name)  # noqa: S311
    noise_rng = np.random.default_rng(list(name.encode()))
    if portion.voice in _SOUNDS:
        samples, phones = _sounds(*_SOUNDS[portion.voice], noise_rng)
    else:
        if portion.voice not in voices:
            voices[portion.voice] = _open(portion.voice)
        samples, phones = _speech(voices[portion.voice], rng, noise_rng)
        samples = augment(samples, noise_rng)
    return Take(name, portion.voice, samples, tuple(phones), portion.held_out)


def _open(voice: str) -> Voice:
    engine, _, variant = voice.partition("-")
    if engine == "flite":
        return FliteVoice(variant)
    if engine == "piper":
        return PiperVoice()
    language = None if variant == "en" else variant
    return KokoroVoice(language) if engine == "kokoro" else EspeakVoice(language)


def _speech(
    voice: Voice, rng: random.Random, noise_rng: np.random.Generator
) -> tuple[Samples, list[Phone]]:
    """Sentences with pauses between them, all at one speed: one pseudo-speaker."""
    language = voice.name.partition("-")[2]
    voice.draw_style(rng)
    speed = rng.choice(_SPEEDS)
    pieces: list[Samples] = [_room_tone(rng.uniform(0.2, 0.8), noise_rng)]
    phones = [Phone(PAUSE, 0.0, len(pieces[0]) / SAMPLE_RATE_HZ)]
    while (now := sum(map(len, pieces)) / SAMPLE_RATE_HZ) < TAKE_S:
        foreign = language in sentences.languages()
        text = sentences.foreign(language, rng) if foreign else sentences.english(rng)
        utterance = voice.speak(text)
        speech = resample(utterance.samples, speed)
        phones += shifted(utterance.phones, now, 1 / speed)
        pause = _room_tone(rng.choice((0.05, 0.15, 0.3, 0.6, 1.2, 2.0)), noise_rng)
        pieces += [speech / (np.abs(speech).max() + 1e-6), pause]
        end = sum(map(len, pieces)) / SAMPLE_RATE_HZ
        phones.append(Phone(PAUSE, phones[-1].end_s, max(end, phones[-1].end_s)))
    return np.concatenate(pieces), phones


def _sounds(
    kinds: Sequence[str], make: Callable[..., Samples], rng: np.random.Generator
) -> tuple[Samples, list[Phone]]:
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < TAKE_S * SAMPLE_RATE_HZ:
        count = int(SAMPLE_RATE_HZ * rng.uniform(2, 6))
        sound = make(str(rng.choice(kinds)), count, rng)
        pieces.append(sound * np.float32(10 ** (rng.uniform(-30, -3) / 20)))
    samples = np.concatenate(pieces)
    return samples, [Phone(PAUSE, 0.0, len(samples) / SAMPLE_RATE_HZ)]


def _room_tone(seconds: float, rng: np.random.Generator) -> Samples:
    return rng.normal(0, 1e-4, int(seconds * SAMPLE_RATE_HZ)).astype(np.float32)


def build(folder: Path, scale: float = 1.0) -> list[Path]:
    """Write every missing take of `RECIPE`, whose minutes ``scale`` multiplies, as npz files.

    Several at a time; what exists is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (folder / f"{portion.voice}-{index:03d}.npz", portion, index)
        for portion in RECIPE
        for index in range(max(1, round(portion.minutes * scale * 60 / TAKE_S)))
    ]
    missing = [job for job in jobs if not job[0].exists()]
    with ProcessPoolExecutor(_processes(), get_context("spawn")) as pool:
        written = pool.map(_write, missing)
        for _ in tqdm(written, "takes", len(jobs), initial=len(jobs) - len(missing), unit="take"):
            pass
    return [path for path, _, _ in jobs]


def _processes() -> int:
    """One a core; a process with all voices open holds about a gigabyte."""
    return min(os.cpu_count() or 1, 8)


_VOICES: dict[str, Voice] = {}
"""This process's open voices."""


def _write(job: tuple[Path, Portion, int]) -> None:
    path, portion, index = job
    save(path, make_take(portion, index, _VOICES))


def save(path: Path, take: Take) -> None:
    np.savez_compressed(
        path.with_suffix(".part.npz"),
        voice=take.voice,
        held_out=take.held_out,
        samples=np.round(take.samples * 32767).clip(-32768, 32767).astype(np.int16),
        symbols=np.array([p.symbol for p in take.phones]),
        times_s=np.array([[p.start_s, p.end_s] for p in take.phones]),
    )
    path.with_suffix(".part.npz").rename(path)


def load(path: Path) -> Take:
    with np.load(path) as data:
        phones = tuple(
            Phone(str(symbol), float(start), float(end))
            for symbol, (start, end) in zip(data["symbols"], data["times_s"], strict=True)
        )
        samples = data["samples"].astype(np.float32) / 32768
        return Take(path.stem, str(data["voice"]), samples, phones, bool(data["held_out"]))
