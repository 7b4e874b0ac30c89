"""The paper's two test sets, for users who have them (paper 4.1): which videos, in which form.

Talk9: nine portrait videos of published head-synthesis works, one file each. HDTF100: a hundred
clips drawn at random from HDTF; the paper names no list, so ours is drawn by a seed and stated.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from ditto.errors import InvalidInputError
from ditto.evaluation.clips import VIDEO_SUFFIXES
from ditto.evaluation.published import HDTF, TALK9, PublishedTable

_DRAW_SEED = 100


@dataclass(frozen=True)
class Protocol:
    """One table of the paper as something to run."""

    published: PublishedTable
    clips: int
    """Videos that the paper used."""

    def videos(self, folder: Path) -> tuple[Path, ...]:
        """The videos to judge: all of the folder and its folders, or as many as the paper drew.

        Raises `InvalidInputError` where there are none.
        """
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
        if not found:
            raise InvalidInputError("FOLDER", f"no video in {folder}")
        if len(found) <= self.clips:
            return tuple(found)
        return tuple(sorted(random.Random(_DRAW_SEED).sample(found, self.clips)))  # noqa: S311


PROTOCOLS = {"talk9": Protocol(TALK9, 9), "hdtf": Protocol(HDTF, 100)}
