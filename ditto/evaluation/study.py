"""A blind comparison of videos by people (paper 4.3, user study, Table 3)."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ditto.errors import InvalidInputError
from ditto.evaluation.clips import VIDEO_SUFFIXES
from ditto.evaluation.study_page import PAGE

QUESTIONS = {
    "visual_quality": "Which one has the better visual quality?",
    "lip_sync": "Whose lips follow the words better?",
    "naturalness": "Whose expressions and head movements are more natural?",
}
_MOST_BYTES = 200 << 20
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mov": "video/quicktime"}


def write_page(methods: Mapping[str, Path], path: Path, seed: int = 0) -> int:
    """One HTML file with all pairs of methods for all videos they share; gives their number.

    methods: folders of equally named videos. Order is shuffled by the seed, sides by the viewer's
    browser. Raises `InvalidInputError` where folders share nothing or the page would be too large.
    """
    names = _shared_names(methods)
    total = sum((folder / name).stat().st_size for folder in methods.values() for name in names)
    if total > _MOST_BYTES:
        raise InvalidInputError("FOLDER", f"{total >> 20} MiB of videos; a page holds 200 MiB")
    pairs = [
        {"clip": name, "methods": list(two)} for name in names for two in combinations(methods, 2)
    ]
    random.Random(seed).shuffle(pairs)  # noqa: S311
    videos = {
        f"{method}/{name}": _data_address(folder / name)
        for method, folder in methods.items()
        for name in names
    }
    content = {"questions": QUESTIONS, "pairs": pairs, "videos": videos}
    text = json.dumps(content).replace("<", "\\u003c")
    path.write_text(PAGE.replace("@CONTENT@", text), "utf-8")
    return len(pairs)


def results_rows(files: Sequence[Path]) -> list[tuple[str, ...]]:
    """Share of the comparisons that each method won, a column a question, over all answers."""
    answers = [row for file in files for row in _answers(file)]
    rows = []
    for method in sorted({method for row in answers for method in row["methods"]}):
        shares = [_share(answers, method, question) for question in QUESTIONS]
        rows.append((method, *shares))
    return rows


def _share(answers: Sequence[Mapping[str, Any]], method: str, question: str) -> str:
    asked = [row for row in answers if method in row["methods"] and question in row["chosen"]]
    if not asked:
        return "-"
    won = sum(row["chosen"][question] == method for row in asked)
    return f"{100 * won / len(asked):.1f} % of {len(asked)}"


def _answers(file: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))["answers"]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError("RESULTS", f"{file} was not saved by a study page") from error
    return rows


def _shared_names(methods: Mapping[str, Path]) -> list[str]:
    if len(methods) < 2:
        raise InvalidInputError("FOLDER", "a comparison needs two folders or more")
    names = [
        {p.name for p in folder.iterdir() if p.suffix.lower() in VIDEO_SUFFIXES}
        for folder in methods.values()
    ]
    shared = sorted(set.intersection(*names))
    if not shared:
        raise InvalidInputError("FOLDER", "the folders have no videos of the same names")
    return shared


def _data_address(video: Path) -> str:
    kind = _TYPES.get(video.suffix.lower(), "video/mp4")
    return f"data:{kind};base64,{base64.b64encode(video.read_bytes()).decode()}"
