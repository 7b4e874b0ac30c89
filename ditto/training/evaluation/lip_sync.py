"""How well lips follow the words: correlation with real lips, lags, chance, intervals, closures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Flags = NDArray[np.bool_]


def correlation(predicted: Array, real: Array, lag: int = 0, where: Flags | None = None) -> float:
    """Pearson r of two curves (T,); a positive lag moves ``predicted`` that many frames later.

    where (T,): frames of ``real`` that count. A curve that does not move scores 0.
    """
    count = min(len(predicted), len(real))
    flags = np.ones(count, bool) if where is None else where[:count]
    start, stop = max(0, lag), count + min(0, lag)
    flags = flags[start:stop]
    first = predicted[:count][start - lag : stop - lag][flags].astype(np.float64)
    second = real[:count][start:stop][flags].astype(np.float64)
    if len(first) < 3 or first.std() < 1e-9 or second.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def by_lag(
    predicted: Sequence[Array], real: Sequence[Array], where: Sequence[Flags], lags: Iterable[int]
) -> dict[int, float]:
    """Mean r over clips for each lag that all clips share."""
    clips = list(zip(predicted, real, where, strict=True))
    return {lag: float(np.mean([correlation(p, r, lag, w) for p, r, w in clips])) for lag in lags}


def chance(
    predicted: Sequence[Array], real: Sequence[Array], where: Sequence[Flags] | None = None
) -> float:
    """Mean r of every clip's motion with the *other* clips' lips: what no synchrony scores.

    where: the frames of each predicted clip that count. One clip alone has no others: nan.
    """
    scores = [
        correlation(p, r, where=None if where is None else where[i])
        for i, p in enumerate(predicted)
        for j, r in enumerate(real)
        if i != j
    ]
    return float(np.mean(scores)) if scores else float("nan")


def area_under_curve(scores: Array, positive: Flags) -> float:
    """Chance that a positive frame's score is below a negative one's: 1 parts them perfectly."""
    count = int(positive.sum())
    if not 0 < count < len(scores):
        return float("nan")
    _, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]  # ties share their mean rank
    above = ranks[positive].sum() - count * (count + 1) / 2
    return float(1 - above / (count * (len(scores) - count)))


def bootstrap_interval(values: Sequence[float], draws: int = 2000) -> tuple[float, float]:
    """95 % interval of the mean over clips."""
    rng = np.random.default_rng(0)
    means = rng.choice(np.asarray(values, np.float64), (draws, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
