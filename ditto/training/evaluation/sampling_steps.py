"""Denoising steps against quality and time (paper 3.3.2, Table 1), on motion alone.

Single samples and the mean of several are told apart: a mean follows the sound better and moves
less, and costs as many times more as it has samples.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates
from ditto.stages import MotionGenerator, MotionSettings
from ditto.training.evaluation import closures, lip_sync, liveliness
from ditto.training.evaluation.closures import SpokenGap
from ditto.training.evaluation.generate import motion_frames, to_coordinates
from ditto.training.evaluation.loudness import speech_frames
from ditto.training.evaluation.report import GAP_OF_FACE
from ditto.training.speech.phones import Phone

Array = NDArray[np.float32]

STEPS = (1, 2, 4, 5, 10, 50)
_GAP = coordinates.index("lipGap")
_MOUTH = list(coordinates.MOUTH)


@dataclass(frozen=True)
class HeardClip:
    """A real clip as the motion stage meets it, and what the real lips did."""

    features: Array
    """(T, D)"""
    samples: Array
    """(n,) at 16 kHz."""
    lip_gap: Array
    """(T,) face heights."""
    phones: tuple[Phone, ...]


@dataclass(frozen=True)
class StepsRow:
    """One row of the table."""

    steps: int
    samples: int
    """1: single samples, means over the seeds; more: the mean of so many."""
    r: float
    """Mouth correlation in speech frames, lag 0."""
    sd_ratio: float
    auc: float
    sealed: float
    seam: float
    """Speed of the mouth across segment borders over that within."""
    head_speed: float
    """95th percentile, the fastest axis, degrees a second."""
    alike: float
    """Correlation of the lip gaps of two seeds: 1 says that chance plays no part."""
    cpu_ms: float
    """CPU time of one segment, all of its samples."""


def table(
    generator: MotionGenerator[Any],
    clips: Sequence[HeardClip],
    samples: int = 4,
    steps: Sequence[int] = STEPS,
) -> list[StepsRow]:
    """Two rows a number of steps: single samples, and the mean of `samples`."""
    rows = []
    for count in steps:
        begun = time.process_time()
        drawn = [
            np.stack([_drawn(generator, clip, count, seed) for seed in range(samples)])
            for clip in clips
        ]
        alike = float(np.mean([lip_sync.correlation(d[0, :, _GAP], d[1, :, _GAP]) for d in drawn]))
        segments = samples * sum(-(-len(c.features) // generator.segment_frames) for c in clips)
        cpu_ms = (time.process_time() - begun) / segments * 1000
        singles = [
            _row(generator, clips, [d[i] for d in drawn], (count, 1, alike, cpu_ms))
            for i in range(samples)
        ]
        rows.append(_mean_row(singles))
        means = [d.mean(0) for d in drawn]
        rows.append(_row(generator, clips, means, (count, samples, alike, cpu_ms * samples)))
    return rows


def _drawn(generator: MotionGenerator[Any], clip: HeardClip, steps: int, seed: int) -> Array:
    settings = MotionSettings(seed=seed, sampling_steps=steps)
    return to_coordinates(motion_frames(generator, clip.features, settings))


def _row(
    generator: MotionGenerator[Any],
    clips: Sequence[HeardClip],
    motions: Sequence[Array],
    drawing: tuple[int, int, float, float],
) -> StepsRow:
    """drawing: steps, samples, likeness of two seeds, CPU ms."""
    gaps = [motion[:, _GAP] * np.float32(GAP_OF_FACE) for motion in motions]
    spoken = [
        SpokenGap(gap, clip.phones) for gap, clip in zip(gaps, clips, strict=True) if clip.phones
    ]
    r, ratio = [], []
    for gap, clip in zip(gaps, clips, strict=True):
        size = min(len(gap), len(clip.lip_gap))
        where = speech_frames(clip.samples, size)
        r.append(lip_sync.correlation(gap[:size], clip.lip_gap[:size], where=where))
        ratio.append(gap[:size].std() / clip.lip_gap[:size].std())
    seams = [liveliness.seam_ratio(m, generator.segment_frames, _MOUTH) for m in motions]
    heads = [liveliness.head_speed_p95(motion).max() for motion in motions]
    steps, samples, alike, cpu_ms = drawing
    return StepsRow(
        steps=steps,
        samples=samples,
        r=float(np.mean(r)),
        sd_ratio=float(np.mean(ratio)),
        auc=closures.auc(spoken),
        sealed=closures.sealed_share(spoken),
        seam=float(np.mean(seams)),
        head_speed=float(np.mean(heads)),
        alike=alike,
        cpu_ms=cpu_ms,
    )


def _mean_row(rows: Sequence[StepsRow]) -> StepsRow:
    values = {
        name: float(np.mean([getattr(row, name) for row in rows]))
        for name in ("r", "sd_ratio", "auc", "sealed", "seam", "head_speed", "alike", "cpu_ms")
    }
    return StepsRow(steps=rows[0].steps, samples=1, **values)
