"""What real speakers' lips do: the lip gap of talking videos, measured on the face mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.training.evaluation import face_measures, talking_video
from ditto.training.evaluation.face_track import FaceFollower

Array = NDArray[np.float32]


@dataclass(frozen=True)
class RealClip:
    """One talking video: its speech (n,) at 16 kHz and lip gap (T,) in face heights at 25 fps."""

    name: str
    samples: Array
    lip_gap: Array


def measure(video: Path, follow: FaceFollower) -> RealClip:
    """Follow the face through a video. Raises `FaceError` if the first frame has none."""
    points = follow(talking_video.frames(video))
    return RealClip(video.stem, talking_video.speech(video), face_measures.lip_gap(points))


def load_clips(folder: Path, cache: Path, landmarker_task: Path) -> list[RealClip]:
    """Every ``talking-*.mp4`` of a folder, measured once and kept under ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    follow = FaceFollower(landmarker_task)
    clips = []
    for video in sorted(folder.glob("talking-*.mp4")):
        kept = cache / f"{video.stem}.npz"
        if not kept.exists():
            clip = measure(video, follow)
            np.savez(kept, samples=clip.samples, lip_gap=clip.lip_gap)
        with np.load(kept) as data:
            clips.append(RealClip(video.stem, data["samples"], data["lip_gap"]))
    return clips
