"""Each form of a network checked against the first, timed and set against the device's ceilings."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bench.gpu.sizes import Sizes
from bench.gpu.target import Run, Target
from bench.gpu.work import Ceilings, median_ms, work_of


@dataclass(frozen=True)
class Row:
    """One network at one batch in one form."""

    network: str
    batch: int
    form: str
    ms: float
    ms_each: float
    speedup: float
    """Over the naive form, for each sample."""
    error: float
    """Largest difference from the naive form over that form's own standard deviation."""
    gflop: float
    gigabytes: float
    of_ceiling: float
    """Time that the slower of products and copies would take at the device's ceilings, over ms."""


def measure(
    network: str,
    batch: int,
    forms: dict[str, Run],
    target: Target,
    sizes: Sizes,
    ceilings: Ceilings,
) -> list[Row]:
    """Check and time each form; the first is the reference. A form that fails is reported."""
    rows: list[Row] = []
    expected = torch.empty(0)
    flop, size = 0.0, 0.0
    for form, run in forms.items():
        try:
            got = run().float().clone()
            if form in ("naive eager", "low precision"):
                flop, size = work_of(run)
                expected = got if form == "naive eager" else expected
            error = float((got - expected).abs().max() / expected.std())
            runs = sizes.runs if rows else max(2, sizes.runs // 4)
            ms = median_ms(run, target, runs)
        except Exception as failure:
            reason = " ".join(str(failure).split("\n\n")[0].split())
            print(f"{network}, batch {batch}, {form}: {reason}", flush=True)
            if not rows:
                break
            continue
        each = ms / batch
        speedup = rows[0].ms_each / each if rows else 1.0
        share = ceilings.least_ms(flop, size) / ms
        row = Row(network, batch, form, ms, each, speedup, error, flop / 1e9, size / 1e9, share)
        print(
            f"{network}, batch {batch:3}, {form:14} {ms:9.3f} ms, {each:8.3f} each, "
            f"x{speedup:.2f}, error {error:.1e}, {row.gflop:.0f} GFLOP, {row.gigabytes:.2f} GB, "
            f"{100 * share:.0f} % of ceiling",
            flush=True,
        )
        rows.append(row)
    return rows
