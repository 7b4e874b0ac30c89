"""Whether lips meet where p, b and m are spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.training.evaluation import lip_sync
from ditto.training.evaluation.face_measures import CLOSED_GAP
from ditto.training.evaluation.loudness import near
from ditto.training.speech.phones import PAUSE, Phone
from ditto.training.targets.mouth import LIP_CLOSURES, closures

Array = NDArray[np.float32]

FRAME_RATE = 25
_TOLERANCE_FRAMES = 1
"""40 ms: the aligner's error and the frame's own length."""


@dataclass(frozen=True)
class SpokenGap:
    """A lip gap (T,) in face heights, and what was spoken with it."""

    gap: Array
    phones: tuple[Phone, ...]


def count(speeches: Sequence[SpokenGap]) -> int:
    """Number of p, b and m."""
    return sum(phone.symbol in LIP_CLOSURES for s in speeches for phone in s.phones)


def auc(speeches: Sequence[SpokenGap], strict: bool = False) -> float:
    """AUC of the middle of p, b and m against all spoken frames but their other ones.

    A frame's score is the smallest gap within one frame of it (strict: its own gap), over the
    90th percentile of its recording; frames next to a p, b or m do not count. nan where nothing is
    aligned.
    """
    scores, positives = [], []
    for speech in speeches:
        frames = len(speech.gap)
        closing = closures(speech.phones, frames)
        spoken = spoken_frames(speech.phones, frames) | closing
        labials = [phone for phone in speech.phones if phone.symbol in LIP_CLOSURES]
        beside = near(spoken_frames(labials, frames), _TOLERANCE_FRAMES) & ~closing
        counted = spoken & ~beside
        gap = speech.gap if strict else _lowest_near(speech.gap)
        scores.append((gap / np.percentile(gap, 90))[counted])
        positives.append(closing[counted])
    if not scores:
        return float("nan")
    return lip_sync.area_under_curve(np.concatenate(scores), np.concatenate(positives))


def sealed_share(speeches: Sequence[SpokenGap]) -> float:
    """Share of p, b and m during which, give or take a frame, the gap falls to `CLOSED_GAP`."""
    met = [
        speech.gap[_span(phone, len(speech.gap))].min() <= CLOSED_GAP
        for speech in speeches
        for phone in speech.phones
        if phone.symbol in LIP_CLOSURES and _span(phone, len(speech.gap)).start < len(speech.gap)
    ]
    return float(np.mean(met)) if met else float("nan")


def _span(phone: Phone, frames: int) -> slice:
    first = int(phone.start_s * FRAME_RATE) - _TOLERANCE_FRAMES
    last = int(phone.end_s * FRAME_RATE) + _TOLERANCE_FRAMES
    return slice(max(0, first), min(frames, last + 1))


def spoken_frames(phones: Sequence[Phone], frames: int) -> NDArray[np.bool_]:
    """(frames,): inside a phone that is no pause."""
    flags = np.zeros(frames, bool)
    for phone in phones:
        if phone.symbol != PAUSE:
            flags[int(phone.start_s * FRAME_RATE) : int(np.ceil(phone.end_s * FRAME_RATE))] = True
    return flags


def _lowest_near(gap: Array) -> Array:
    padded = np.pad(gap, _TOLERANCE_FRAMES, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _TOLERANCE_FRAMES + 1)
    return np.asarray(windows.min(1))
