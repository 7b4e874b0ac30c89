"""How well lips follow the words: correlation with real lips, a control for chance, closures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def correlation(predicted: Array, real: Array, lag: int = 0) -> float:
    """Pearson r of two curves (T,); a positive lag moves ``predicted`` that many frames later."""
    count = min(len(predicted), len(real))
    first, second = predicted[:count], real[:count]
    if lag > 0:
        first, second = first[:-lag], second[lag:]
    elif lag < 0:
        first, second = first[-lag:], second[:lag]
    return float(np.corrcoef(first, second)[0, 1])


def chance(predicted: list[Array], real: list[Array]) -> float:
    """Mean r of every clip's motion with the *other* clips' lips: what no synchrony scores."""
    pairs = [(i, j) for i in range(len(predicted)) for j in range(len(real)) if i != j]
    return float(np.mean([correlation(predicted[i], real[j]) for i, j in pairs]))


def area_under_curve(scores: Array, positive: NDArray[np.bool_]) -> float:
    """Chance that a positive frame's score is below a negative one's: 1 parts them perfectly."""
    order = np.argsort(np.argsort(scores))
    count = int(positive.sum())
    rank_sum = float(order[positive].sum()) - count * (count - 1) / 2
    return 1 - rank_sum / (count * (len(scores) - count))


def bootstrap_interval(values: list[float], draws: int = 2000) -> tuple[float, float]:
    """95 % interval of the mean."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (draws, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
