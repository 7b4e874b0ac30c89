"""The figures that a talking face is held to, and whether an evaluation reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

REACHED, SHORT, FAILURE, UNMEASURED = "reached", "short of it", "failure", "not measured"
HEAD_ENERGY_FLOOR = 2.0
"""Degrees a second, root mean square over the three axes: a face that moves less looks frozen."""
_FRAME_MS = 40


@dataclass(frozen=True)
class Verdict:
    """One row of the table of targets."""

    measure: str
    found: str
    target: str
    outcome: str


def verdicts(scores: Mapping[str, Any]) -> list[Verdict]:
    """The rows for the figures that `judge.figures` gives."""
    mouth, still = scores["mouth"], scores["silence"]
    return [
        *_mouth(mouth, scores["closures"]),
        *_silence(still),
        _at_least("CSIM over that of the unanimated portrait", scores["identity"]["ratio"], 0.85),
        _within("aperture SD over the real speaker's", scores["aperture"]["sd_ratio"], 0.7, 1.3),
        _within("aperture 95th percentile, likewise", scores["aperture"]["p95_ratio"], 0.7, 1.3),
        _at_least("p, b, m that reach a gap of 0.02", scores["closures"]["sealed"], 0.9),
        _within("blinks a minute", scores["liveliness"]["blinks_a_minute"], 8, 25),
        _at_least(
            "head energy of the stillest video, degrees/s",
            scores["liveliness"]["head_energy_least"],
            HEAD_ENERGY_FLOOR,
        ),
        _within("A/V offset, frames", scores["timing"]["av_offset_frames"], -1, 1),
        _jumps(scores["steadiness"]),
    ]


def _mouth(mouth: Mapping[str, Any], closures: Mapping[str, Any]) -> list[Verdict]:
    low, high = mouth["r_interval"]
    floor = max(0.45, mouth["loudness"] + 0.2)
    lag_ms = mouth["best_lag_frames"] * _FRAME_MS
    found = f"{mouth['r']:.3f} ({low:.2f} to {high:.2f})"
    return [
        Verdict(
            "mouth correlation, lag 0, speech frames (95 % interval)",
            found,
            f">= 0.55, a failure below {floor:.2f}",
            _graded(mouth["r"], 0.55, floor),
        ),
        _at_least("the same, GRID clips", mouth["r_grid"], 0.62),
        _at_least("mouth correlation minus null", mouth["r"] - mouth["null"], 0.40, 0.30),
        _at_least("p, b, m against other frames, AUC", closures["auc"], 0.94, 0.90),
        Verdict(
            "best common lag", f"{lag_ms:+d} ms", "within 40 ms", _outcome(abs(lag_ms) <= _FRAME_MS)
        ),
    ]


def _silence(still: Mapping[str, Any]) -> list[Verdict]:
    rows = [_at_least("lips closed in silent frames of the clips", still["closed"], 0.95)]
    rows += [
        _at_least(f"lips closed during {name}", share, 0.95)
        for name, share in still["closed_by_recording"].items()
        if "singing" not in name
    ]
    return rows


def _jumps(steady: Mapping[str, Any]) -> Verdict:
    found = f"{steady['largest_jump']:.3f} face heights, {steady['frames_beyond']} frames beyond"
    target = f"<= {steady['jump_limit']:.3f}, the real videos' 99.9th percentile"
    return Verdict("largest landmark jump", found, target, _outcome(steady["frames_beyond"] == 0))


def _at_least(measure: str, found: float, target: float, floor: float | None = None) -> Verdict:
    text = f">= {target:g}" + ("" if floor is None else f", a failure below {floor:g}")
    return Verdict(measure, _number(found), text, _graded(found, target, floor))


def _within(measure: str, found: float, low: float, high: float) -> Verdict:
    outcome = UNMEASURED if isnan(found) else _outcome(low <= found <= high)
    return Verdict(measure, _number(found), f"{low:g} to {high:g}", outcome)


def _graded(found: float, target: float, floor: float | None) -> str:
    if isnan(found):
        return UNMEASURED
    if found >= target:
        return REACHED
    return SHORT if floor is None or found >= floor else FAILURE


def _outcome(is_reached: bool) -> str:
    return REACHED if is_reached else SHORT


def _number(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3g}"
