"""What real speakers' faces do: lip gap, blinks and head of a video, measured on the face mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker

Array = NDArray[np.float32]

FRAME_RATE = 25
SAMPLE_RATE_HZ = 16_000
_UPPER_INNER_LIP, _LOWER_INNER_LIP, _FOREHEAD, _CHIN = 13, 14, 10, 152


@dataclass(frozen=True)
class RealClip:
    """One talking video: its speech (n,) at 16 kHz and lip gap (T,) in face heights at 25 fps."""

    name: str
    samples: Array
    lip_gap: Array


def lip_gap(points: Array) -> float:
    """Inner-lip distance over the face's height, of a mesh (478, 3) in pixels."""
    gap = np.linalg.norm(points[_UPPER_INNER_LIP] - points[_LOWER_INNER_LIP])
    return float(gap / np.linalg.norm(points[_FOREHEAD] - points[_CHIN]))


def measure(video: Path, landmarker_task: Path) -> RealClip:
    """Follow the face through a 25 fps video. Raises `FaceError` if the first frame has none."""
    detector, landmarker = FaceDetector(landmarker_task), FaceLandmarker(landmarker_task)
    gaps, points = [], None
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            if points is None:
                faces = detector(image)
                if not faces:
                    raise FaceError(f"{video.name}: no face in the first frame")
                points = landmarker(image, faces[0]).points
            points = landmarker.refine(image, points).points
            gaps.append(lip_gap(points))
    return RealClip(video.stem, _speech(video), np.array(gaps, np.float32))


def _speech(video: Path) -> Array:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
    pieces = []
    with av.open(str(video)) as container:
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray().ravel() for part in resampler.resample(frame)]
    pieces += [part.to_ndarray().ravel() for part in resampler.resample(None)]
    return np.concatenate(pieces).astype(np.float32) / np.float32(32768)


def load_clips(folder: Path, cache: Path, landmarker_task: Path) -> list[RealClip]:
    """Every ``talking-*.mp4`` of a folder, measured once and kept under ``cache``."""
    cache.mkdir(parents=True, exist_ok=True)
    clips = []
    for video in sorted(folder.glob("talking-*.mp4")):
        kept = cache / f"{video.stem}.npz"
        if not kept.exists():
            clip = measure(video, landmarker_task)
            np.savez(kept, samples=clip.samples, lip_gap=clip.lip_gap)
        with np.load(kept) as data:
            clips.append(RealClip(video.stem, data["samples"], data["lip_gap"]))
    return clips
