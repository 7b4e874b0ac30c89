"""Which emotion a video shows: stated by the data, or by a classifier that the user names.

One label a clip, as in the paper (3.2.1). No emotion network comes with this project.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from ditto.errors import InvalidInputError
from ditto.stages import EMOTIONS, Image

Label = Callable[[Path, Iterable[Image]], int]
"""The class of a video's stretch, from its path and its RGB pictures."""
Classifier = Callable[[Iterable[Image]], str]
"""What `--classifier module:function` names: RGB pictures (H, W, 3) to one of `EMOTIONS`."""


def by_folder(video: Path, _: Iterable[Image]) -> int:
    """The name of the folder that a video lies in; neutral if that is no emotion."""
    name = video.parent.name.lower()
    return EMOTIONS.index(name if name in EMOTIONS else "neutral")


def by_table(table: Path) -> Label:
    """Rows ``video name without suffix,emotion`` of a CSV file; every video must have one."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row[0].strip(): row[1].strip().lower() for row in csv.reader(file) if len(row) > 1}

    def label(video: Path, _: Iterable[Image]) -> int:
        if video.stem not in rows:
            raise InvalidInputError("emotions", f"{table} has no row for {video.stem}")
        return _number(rows[video.stem], str(table))

    return label


def by_classifier(name: str) -> Label:
    """A function ``module:function`` from pictures to an emotion's name."""
    module, _, function = name.partition(":")
    try:
        classify: Classifier = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInputError("classifier", f"{name}: {error}; give module:function") from None
    return lambda video, pictures: _number(classify(pictures), name)


def _number(emotion: str, source: str) -> int:
    if emotion not in EMOTIONS:
        raise InvalidInputError("emotion", f"{source} says {emotion!r}; allowed: {EMOTIONS}")
    return EMOTIONS.index(emotion)
