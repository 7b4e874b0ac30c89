"""Whether something grows: a slope, its noise, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BLOCKS = 10
_STUDENT_T = 2.306
"""95 % both ways, for the slope through ten points."""


@dataclass(frozen=True)
class Trend:
    """A straight line through the medians of ten equal stretches of time."""

    slope: float
    """Units a minute."""
    noise: float
    """The slope may be this much more or less, by chance, 19 times in 20."""
    minutes: float

    def grows_by_more_than(self, units: float) -> bool:
        """Whether that much, over the whole time, is too much to be chance."""
        return (self.slope - self.noise) * self.minutes > units


def trend_of(times_s: Sequence[float], values: Sequence[float]) -> Trend:
    """Of at least twenty samples. Medians, because allocators give back in steps."""
    blocks = np.array_split(np.arange(len(times_s)), _BLOCKS)
    minutes = np.array([np.median(np.take(times_s, block)) for block in blocks]) / 60
    levels = np.array([np.median(np.take(values, block)) for block in blocks])
    centred = minutes - minutes.mean()
    slope = float((centred * levels).sum() / (centred**2).sum())
    rest = levels - levels.mean() - slope * centred
    error = np.sqrt((rest**2).sum() / (_BLOCKS - 2) / (centred**2).sum())
    whole = (max(times_s) - min(times_s)) / 60
    return Trend(slope, _STUDENT_T * float(error), whole)
