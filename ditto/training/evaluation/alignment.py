"""When each phone of a recording is spoken: phone times beside it, or a forced alignment.

The forced alignment speaks the known text with three flite voices, whose phone times are exact, and
lays each over the recording by dynamic time warping of normalised speech features; the voice with
the least cost gives the times. No text, or no flite: no alignment, and the closures say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.errors import SetupError
from ditto.training.speech.flite import FliteVoice
from ditto.training.speech.phones import PAUSE, Phone, lay_out, shifted

Array = NDArray[np.float32]
Listen = Callable[[Array], Array]
"""Samples (n,) to feature frames (T, D), a 50th of a second each."""

VOICES = ("slt", "rms", "awb")
_STEP_S = 0.02
_MARGIN_S = 0.3
_SAMPLE_RATE_HZ = 16_000
_SKIP_COST = 0.02


def phones_of(
    recording: Path, samples: Array, listen: Listen, texts: Mapping[str, str]
) -> tuple[tuple[Phone, ...], str]:
    """Timed phones, and where they are from; none where neither phone times nor text are known.

    ``NAME.phones.json`` beside the recording holds ``{"phones": [[symbol, start_s, end_s], ...]}``;
    ``NAME.txt``, or `texts` under the name, holds the words.
    """
    timed, beside = recording.with_suffix(".phones.json"), recording.with_suffix(".txt")
    if timed.is_file():
        return read_phones(timed), "stated"
    text = beside.read_text("utf-8") if beside.is_file() else texts.get(recording.stem, "")
    if not text.strip():
        return (), "not aligned: no text or phone times beside it"
    try:
        return align(text.strip(), samples, listen), "aligned"
    except SetupError as error:
        return (), f"not aligned: {error}"


def read_phones(path: Path) -> tuple[Phone, ...]:
    """Phones of a file of phone times."""
    rows = json.loads(path.read_text("utf-8"))["phones"]
    return tuple(Phone(str(symbol), float(start), float(end)) for symbol, start, end in rows)


def align(text: str, samples: Array, listen: Listen) -> tuple[Phone, ...]:
    """Phones of known words in a recording (n,) at 16 kHz. Raises `SetupError` without flite."""
    heard = _normalised(listen(samples))
    seconds = len(samples) / _SAMPLE_RATE_HZ
    found = []
    for voice in VOICES:
        spoken, phones = _spoken(voice, text)
        path, cost = warp(1 - heard @ _normalised(listen(spoken)).T)
        found.append((cost, _carried(phones, path, seconds)))
    return min(found, key=lambda entry: entry[0])[1]


def warp(costs: Array) -> tuple[NDArray[np.int64], float]:
    """Cheapest monotonous path (L, 2) through costs (N, M), and its cost a step."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    came = np.zeros((rows, columns), np.int8)
    for i in range(rows):
        for j in range(columns):
            options = (total[i, j], total[i, j + 1] + _SKIP_COST, total[i + 1, j] + _SKIP_COST)
            best = options.index(min(options))
            came[i, j] = best
            total[i + 1, j + 1] = costs[i, j] + options[best]
    i, j = rows - 1, columns - 1
    path = []
    while i >= 0 and j >= 0:
        path.append((i, j))
        move = came[i, j]
        i, j = i - (move != 2), j - (move != 1)
    return np.array(path[::-1]), float(total[rows, columns]) / (rows + columns)


def _spoken(voice: str, text: str) -> tuple[Array, list[Phone]]:
    """Samples with a margin of silence, and phones that cover them."""
    utterance = FliteVoice(voice).speak(text)
    margin = np.zeros(round(_MARGIN_S * _SAMPLE_RATE_HZ), np.float32)
    level = np.float32(0.3) / np.abs(utterance.samples).max()
    samples = np.concatenate([margin, utterance.samples * level, margin])
    spoken = shifted(utterance.phones, _MARGIN_S)
    end_s = len(samples) / _SAMPLE_RATE_HZ
    return samples, [
        Phone(PAUSE, 0.0, _MARGIN_S),
        *spoken,
        Phone(PAUSE, spoken[-1].end_s, end_s),
    ]


def _carried(phones: list[Phone], path: NDArray[np.int64], seconds: float) -> tuple[Phone, ...]:
    """Phones of the spoken words at the recording's times."""
    columns = np.arange(path[-1, 1] + 1)
    rows = np.array([path[path[:, 1] == column, 0].mean() for column in columns])

    def moved(time_s: float) -> float:
        at = np.interp(time_s / _STEP_S - 0.5, columns, rows)
        return float(at + 0.5) * _STEP_S

    times = [0.0, *(moved(phone.end_s) for phone in phones[:-1]), seconds]
    lengths = zip((phone.symbol for phone in phones), np.diff(times), strict=True)
    return lay_out((symbol, float(length)) for symbol, length in lengths)


def _normalised(features: Array) -> Array:
    centred = (features - features.mean(0)) / (features.std(0) + 0.1)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True), np.float32)
