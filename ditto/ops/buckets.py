"""Quantiles of histograms, as Prometheus computes them."""

from __future__ import annotations

from collections.abc import Iterable

from ditto.ops.page import Buckets


def added(histograms: Iterable[Buckets]) -> Buckets:
    """One histogram of the observations of all."""
    together: Buckets = {}
    for buckets in histograms:
        for bound, count in buckets.items():
            together[bound] = together.get(bound, 0) + count
    return together


def since(now: Buckets, before: Buckets) -> Buckets:
    """What was observed between two looks; all of it where the process began anew between them."""
    changed = {bound: count - before.get(bound, 0) for bound, count in now.items()}
    return now if any(count < 0 for count in changed.values()) else changed


def quantile(share: float, buckets: Buckets) -> float | None:
    """The value that `share` of the observations do not exceed; None where there are none.

    Between bounds the observations are taken as evenly spread; beyond the last finite bound, that
    bound is the answer.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    rank = share * buckets[bounds[-1]]
    low, below = 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (rank - below) / (count - below) if count > below else low
        low, below = bound, count
    return low
