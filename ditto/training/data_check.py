"""What a data folder holds, and what is wrong with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ditto.stages import EMOTIONS
from ditto.training import store
from ditto.training.dataset import Clip

_FIELDS = ("audio", "face", "eyes", "posture", "keypoints", "weight")
_LARGEST = {"audio": 1e3, "face": 1e3, "eyes": 20.0, "posture": 90.0, "keypoints": 5.0}


@dataclass(frozen=True)
class Findings:
    """Lines to read, and faults that make the data unfit."""

    summary: list[str]
    faults: list[str]


def check(folder: Path) -> Findings:
    """Counts, ranges, numbers that are not finite, splits that share a speaker or a name."""
    index, clips = store.read_index(folder), store.read_clips(folder)
    faults = _disjoint(clips)
    ranges: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for clip in clips:
        for name in _FIELDS:
            rows = getattr(clip, name)
            if rows is None:
                continue
            if not np.isfinite(rows).all():
                faults.append(f"{clip.name}: {name} holds numbers that are not finite")
                continue
            low, high = float(rows.min()), float(rows.max())
            ranges[name].append((low, high))
            if max(-low, high) > _LARGEST.get(name, np.inf):
                faults.append(f"{clip.name}: {name} reaches from {low:.3g} to {high:.3g}")
    summary = [f"space: {index['space']}", *_counts(clips)]
    for name, pairs in ranges.items():
        low, high = min(low for low, _ in pairs), max(high for _, high in pairs)
        summary.append(f"{name}: {low:.3g} to {high:.3g}")
    left_out = Counter(_kind(reason) for reason in index["left_out"].values())
    summary += [f"left out: {count} x {reason}" for reason, count in left_out.most_common()]
    return Findings(summary, faults)


def _counts(clips: list[Clip]) -> list[str]:
    lines = []
    for split in ("train", "tuning", "test"):
        part = [clip for clip in clips if clip.split == split]
        minutes = sum(len(clip.audio) for clip in part) / 1500
        voices = len({clip.voice for clip in part})
        lines.append(f"{split}: {len(part)} clips, {minutes:.1f} minutes, {voices} voices")
    emotions = Counter(
        "drawn" if clip.emotion is None else EMOTIONS[clip.emotion] for clip in clips
    )
    lines.append("emotions: " + ", ".join(f"{name} {n}" for name, n in sorted(emotions.items())))
    return lines


def _disjoint(clips: list[Clip]) -> list[str]:
    names = Counter(clip.name for clip in clips)
    faults = [f"{name}: {count} clips of this name" for name, count in names.items() if count > 1]
    trained = {clip.voice for clip in clips if clip.split == "train"}
    kept = {clip.voice for clip in clips if clip.split != "train"}
    faults += [f"{voice}: trains and judges" for voice in sorted(trained & kept)]
    return faults + ([] if clips else ["no clip at all"])


def _kind(reason: str) -> str:
    """A reason without its numbers, so that equal ones count together."""
    return "".join("#" if letter.isdigit() else letter for letter in reason).replace("##", "#")
