"""The report as a markdown table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isnan
from typing import Any

from ditto.evaluation.judge import Judgement
from ditto.evaluation.verdicts import verdicts


def as_json(judgement: Judgement) -> str:
    """All figures, with what they were made of."""
    content = {
        "about": judgement.about,
        "figures": judgement.figures,
        "paper": judgement.paper,
        "verdicts": [vars(row) for row in verdicts(judgement.figures)],
        "left_out": judgement.left_out,
        "calls": {pair.name: pair.call.as_json() for pair in judgement.pairs},
    }
    return json.dumps(_plain(content), indent=1, default=float) + "\n"


def as_markdown(judgement: Judgement) -> str:
    """Targets, clips, and everything else that was measured."""
    parts = [
        verdict_table(judgement),
        table(("measure of the paper", "value"), paper_rows(judgement)),
        table(("clip", *CLIP_COLUMNS), clip_rows(judgement)),
        table(("figure", "value"), other_rows(judgement.figures)),
    ]
    if judgement.left_out:
        parts.append(table(("left out", "why"), list(judgement.left_out.items())))
    return "\n\n".join(parts) + "\n"


def verdict_table(judgement: Judgement) -> str:
    """What was to be reached, and whether it was."""
    rows = [(v.measure, v.found, v.target, v.outcome) for v in verdicts(judgement.figures)]
    return table(("measure", "found", "target", "outcome"), rows)


CLIP_COLUMNS = ("r", "r, all frames", "SD ratio", "p95 ratio", "CSIM ratio", "largest jump")


def clip_rows(judgement: Judgement) -> list[tuple[str, ...]]:
    """One row a clip."""
    found = judgement.figures
    rows = []
    for pair in judgement.pairs:
        mouth, width = (found[group]["by_clip"][pair.name] for group in ("mouth", "aperture"))
        values = (
            mouth["r"],
            mouth["r_all_frames"],
            width["sd_ratio"],
            width["p95_ratio"],
            found["identity"]["by_clip"][pair.name],
            found["steadiness"]["by_clip"][pair.name],
        )
        rows.append((pair.name, *(f"{value:.2f}" for value in values)))
    return rows


def paper_row(judgement: Judgement) -> dict[str, str]:
    """The paper's measures that were measured, by its names (paper 4.2)."""
    found = {name: value for name, value in judgement.paper.items() if not isinstance(value, str)}
    timing = judgement.figures["timing"]
    found |= {"CSIM": judgement.figures["identity"]["csim"], "RTF": timing["rtf_of_call"]}
    return {name: f"{value:.3f}" for name, value in found.items()}


def paper_rows(judgement: Judgement) -> list[tuple[str, str]]:
    """The same with FFD, and with what the missing ones need."""
    missing = {name: value for name, value in judgement.paper.items() if isinstance(value, str)}
    timing = judgement.figures["timing"]
    delay = f"{timing['ffd_ms']:.0f} ms, compute {timing['ffd_compute_ms']:.0f} ms"
    return [*paper_row(judgement).items(), ("FFD", delay), *missing.items()]


def other_rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Every figure by its group and name, but those of single clips."""
    rows: list[tuple[str, str]] = []
    for group, values in figures.items():
        for name, value in values.items():
            if name in ("by_clip", "phones_from"):
                continue
            label = f"{group}: {name.replace('_', ' ')}"
            if isinstance(value, dict):
                rows += [(f"{label}, {key}", _text(inner)) for key, inner in value.items()]
            else:
                rows.append((label, _text(value)))
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: Any) -> str:
    if isinstance(value, float) and isnan(value):
        return "-"
    if isinstance(value, tuple | list):
        return " to ".join(f"{part:.3f}" for part in value)
    return str(value) if isinstance(value, int | str) else f"{value:.4g}"


def _plain(value: Any) -> Any:
    """JSON has no nan."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and isnan(value) else value
