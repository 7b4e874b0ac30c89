"""Timed phones: one small ARPAbet-like alphabet that every synthesiser's output is mapped to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

Samples = NDArray[np.float32]

PAUSE = "pau"
SAMPLE_RATE_HZ = 16_000
_LENGTH_MARKS = "ːˑ̩̃ʲʰ"
_STRESS_MARKS = "ˈˌ"
_GAP_S = 0.12
"""A word gap shorter than this is no pause: its time goes to its neighbours."""


class Phone(NamedTuple):
    """One phone and its time in the recording, in seconds."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """Speech samples (n,) at `SAMPLE_RATE_HZ` in [-1, 1], and phones that cover them in order."""

    samples: Samples
    phones: tuple[Phone, ...]


@cache
def ipa_table() -> dict[str, dict[str, str]]:
    """The tables of ``ipa.yaml``."""
    return dict(yaml.safe_load(files(__package__).joinpath("ipa.yaml").read_text("utf-8")))


@cache
def _ipa() -> tuple[dict[str, str], dict[str, str]]:
    """Our symbols by IPA letter, and by pair of letters."""
    table = ipa_table()
    letters = {letter: symbol for symbol, row in table["letters"].items() for letter in row}
    return letters, table["pairs"]


def arpabet(ipa: str) -> str:
    """The alphabet's symbol for one IPA phone such as ``ɑː``; `PAUSE` where it is none."""
    bare = ipa.strip("ˈˌː ʲʰ̩̃ˑ")
    letters, pairs = _ipa()
    return pairs.get(bare[:2]) or letters.get(bare[:1], PAUSE)


def lay_out(durations: Iterable[tuple[str, float]]) -> tuple[Phone, ...]:
    """Phones one after another from (symbol, seconds); neighbouring pauses become one."""
    phones: list[Phone] = []
    now = 0.0
    for symbol, seconds in durations:
        if seconds <= 0:
            continue
        if phones and symbol == PAUSE == phones[-1].symbol:
            phones[-1] = phones[-1]._replace(end_s=now + seconds)
        else:
            phones.append(Phone(symbol, now, now + seconds))
        now += seconds
    return tuple(phones)


def shifted(phones: Iterable[Phone], offset_s: float, stretch: float = 1.0) -> list[Phone]:
    """Phones after stretching time by ``stretch``, then moving them ``offset_s`` later."""
    return [Phone(p, a * stretch + offset_s, b * stretch + offset_s) for p, a, b in phones]


def earlier(phones: tuple[Phone, ...], seconds: float) -> tuple[Phone, ...]:
    """Phones whose borders move ``seconds`` earlier; still from 0 to the end of the recording."""
    ends = [max(phone.end_s - seconds, 0.0) for phone in phones[:-1]]
    ends += [phone.end_s for phone in phones[-1:]]
    borders = zip(phones, [0.0, *ends], ends, strict=False)
    return tuple(Phone(p.symbol, start, end) for p, start, end in borders if end > start)


def without_marks(timed: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Give the time of stress marks, length marks and short word gaps to the phones beside them."""
    durations: list[tuple[str, float]] = []
    carried = 0.0
    for symbol, seconds in timed:
        name = arpabet(symbol) if symbol.isalpha() else PAUSE
        if durations and (symbol in _STRESS_MARKS or (symbol == " " and seconds < _GAP_S)):
            durations[-1] = (durations[-1][0], durations[-1][1] + seconds / 2)
            carried += seconds / 2
        elif durations and name == PAUSE and (symbol.isalpha() or symbol in _LENGTH_MARKS):
            durations[-1] = (durations[-1][0], durations[-1][1] + seconds)
        else:
            durations.append((name, seconds + carried))
            carried = 0.0
    return durations
