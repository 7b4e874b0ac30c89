"""Losses at random moments of long calls: what is said meanwhile, a table of what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tests.e2e import speech

SECONDS = 20
FRAMES = SECONDS * 25
MOMENTS = 20
SAME_H264_DB = 34.0
"""Least PSNR of H.264 pictures after a move, whose key frame the calm stream has not."""
Summary = Callable[[Sequence[float]], str]


def said() -> bytes:
    """Twenty seconds of the example recording, repeated as needed."""
    whole = speech.part(0, SECONDS)
    return (whole * 4)[: SECONDS * speech.RATE_HZ * 2]


class Tally:
    """The calls of each thing that was tried, their gaps, and further figures of them."""

    def __init__(self, **further: Summary) -> None:
        """`further` columns: how the figures of several calls are told as one."""
        self._further = further
        self._calls: dict[str, int] = defaultdict(int)
        self._gaps_ms: dict[str, list[float]] = defaultdict(list)
        self._figures: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, what: str, gaps_ms: Sequence[float], **figures: float) -> None:
        """One call, and the gap of each of its moves."""
        self._calls[what] += 1
        self._gaps_ms[what] += gaps_ms
        self.note(what, **figures)

    def note(self, what: str, **figures: float) -> None:
        """Further figures of a call that was added before."""
        for name, figure in figures.items():
            self._figures[what, name].append(figure)

    def __str__(self) -> str:
        further = (name.replace("_", " ") for name in self._further)
        columns = ("tried", "calls", "moves", "gap p50 / p95 / max, ms", *further)
        rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        return "\n".join([*rows, *map(self._row, self._calls)])

    def _row(self, what: str) -> str:
        gaps = self._gaps_ms[what]
        p50, p95, most = np.percentile(gaps or [0.0], [50, 95, 100])
        told = [what, f"{self._calls[what]}", f"{len(gaps)}", f"{p50:.0f} / {p95:.0f} / {most:.0f}"]
        for name, summary in self._further.items():
            figures = self._figures[what, name]
            told.append(summary(figures) if figures else "")
        return f"| {' | '.join(told)} |"


@contextmanager
def printed(tally: Tally) -> Iterator[Tally]:
    """Print the table at the end of a block."""
    yield tally
    print(f"\n{tally}")


def total(figures: Sequence[float]) -> str:
    """All of them together."""
    return f"{sum(figures):.0f}"


def median_and_most(figures: Sequence[float]) -> str:
    """What is usual, and the worst."""
    return f"{np.median(figures):.0f} / {max(figures):.0f}"


def least_db(figures: Sequence[float]) -> str:
    """The worst PSNR; 100 dB stands for equal pictures."""
    return "equal" if min(figures) >= 100 else f"{min(figures):.1f} dB"
