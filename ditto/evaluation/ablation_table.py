"""The ablation table (paper 4.5, Table 4) from the results of trained variants."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ditto.errors import InvalidInputError

Result = Mapping[str, Any]

MEASURES: dict[str, Callable[[Result], float]] = {
    "r, speech frames": lambda r: r["real_speech"]["r_speech_frames"],
    "r, all frames": lambda r: r["real_speech"]["r"],
    "r, GRID": lambda r: r["real_speech"]["r_grid"],
    "SD / real": lambda r: r["real_speech"]["sd_ratio"],
    "p, b, m AUC": lambda r: r["held_out_voices"]["closure_auc"],
    "p, b, m sealed": lambda r: r["held_out_voices"]["closures_sealed"],
    "silence closed": lambda r: r["held_out_voices"]["silence_closed"],
    "mouth seam": lambda r: r["statistics"]["seam_mouth"],
    "head speed p95": lambda r: max(r["statistics"]["head_speed_p95"]),
}
NOT_TESTABLE = {
    "no-canonical-keypoints": "keypoints are drawn at random on synthesised speech",
    "no-emotion": "emotions are authored presets, not carried by the voice",
}
"""Variants whose condition the training data does not carry: a control, no evidence."""


def read_results(folder: Path) -> dict[str, list[Result]]:
    """Results by variant, `full` first. Raises `InvalidInputError` where there are none."""
    found: dict[str, list[Result]] = defaultdict(list)
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text("utf-8"))
        found[result["name"]].append(result)
    if not found:
        raise InvalidInputError("FOLDER", f"no results (*.json) in {folder}")
    return dict(sorted(found.items(), key=lambda item: (item[0] != "full", item[0])))


def rows(results: Mapping[str, Sequence[Result]]) -> list[tuple[str, ...]]:
    """One row a variant: mean and spread (standard deviation) over its seeds."""
    return [
        (name, str(len(runs)), *(_spread([of(run) for run in runs]) for of in MEASURES.values()),
         f"not testable: {NOT_TESTABLE[name]}" if name in NOT_TESTABLE else "")
        for name, runs in results.items()
    ]  # fmt: skip


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else mean
