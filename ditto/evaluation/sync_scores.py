"""Sync-C and Sync-D (paper 4.2): SyncNet's confidence and distance between lips and sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ditto.evaluation.mfcc import mfcc
from ditto.evaluation.syncnet_model import SyncNet
from ditto.face.topology import SKIN_POINTS
from ditto.training.evaluation import talking_video

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_SIDE, _FRAMES, _SOUND_FRAMES, _MOST_SHIFT = 224, 5, 20, 15
_BATCH = 20
_CROP_SCALE = 0.4
_GREY = 110
_SMOOTH_FRAMES = 13


@dataclass(frozen=True)
class SyncScores:
    """One video's."""

    confidence: float
    """Sync-C, higher is better."""
    distance: float
    """Sync-D, lower is better."""
    offset_frames: int
    """At which lips and sound fit best, counted as the published tool counts it."""


def sync_scores(network: SyncNet, video: Path, points: Array, samples: Array) -> SyncScores:
    """Of a video with face mesh (T, 478, 3) and sound (n,) at 16 kHz.

    Faces are cut out as the published pipeline cuts them, around the mesh's bounds rather than its
    detector's box, which is a few per cent larger.
    """
    sound = mfcc(samples).T.astype(np.float32)  # 13 T'
    count = min(len(points) - _FRAMES, (sound.shape[1] - _SOUND_FRAMES) // 4)
    faces = _faces(video, points)
    with torch.no_grad():
        seen = torch.cat([network.see(batch) for batch in _lip_batches(faces, count)])
        heard = torch.cat(
            [network.hear(_sound_batch(sound, i, count)) for i in range(0, count, _BATCH)]
        )
    return scores_of(seen, heard)


def scores_of(seen: Tensor, heard: Tensor) -> SyncScores:
    """Of features (N, D) of lips and of sound, one row a frame each."""
    padded = torch.nn.functional.pad(heard, (0, 0, _MOST_SHIFT, _MOST_SHIFT))
    shifts = range(2 * _MOST_SHIFT + 1)
    distances = torch.stack(
        [
            torch.nn.functional.pairwise_distance(seen, padded[shift : shift + len(seen)]).mean()
            for shift in shifts
        ]
    )
    best = int(distances.argmin())
    least = float(distances[best])
    return SyncScores(float(distances.median()) - least, least, _MOST_SHIFT - best)


def _lip_batches(faces: Iterator[Image], count: int) -> Iterator[Tensor]:
    window: list[Image] = []
    batch: list[NDArray[np.uint8]] = []
    done = 0
    for face in faces:
        window = [*window, face][-_FRAMES:]
        if len(window) == _FRAMES and done < count:
            batch.append(np.stack(window))
            done += 1
        if batch and (len(batch) == _BATCH or done == count):
            stacked = torch.from_numpy(np.stack(batch)).float()  # N 5 224 224 3
            yield stacked.permute(0, 4, 1, 2, 3)
            batch = []
        if done == count:
            return


def _sound_batch(sound: Array, start: int, count: int) -> Tensor:
    rows = [
        sound[:, 4 * i : 4 * i + _SOUND_FRAMES] for i in range(start, min(start + _BATCH, count))
    ]
    return torch.from_numpy(np.stack(rows))[:, None]


def _faces(video: Path, points: Array) -> Iterator[Image]:
    """BGR faces (224, 224, 3): 1.4 boxes wide, from the box's upper edge down."""
    flat = points[:, :SKIN_POINTS, :2]
    low, high = flat.min(1), flat.max(1)
    half = _median((high - low).max(1) / 2)
    middle = np.stack([_median(column) for column in ((low + high) / 2).T], axis=1)
    for image, size, (x, y) in zip(talking_video.frames(video), half, middle, strict=False):
        zoom = _SIDE / (2 * size * (1 + _CROP_SCALE))
        corner = np.array([x - size * (1 + _CROP_SCALE), y - size])
        place = np.array([[zoom, 0, 0], [0, zoom, 0]], np.float32)
        place[:, 2] = -zoom * corner
        face = cv2.warpAffine(
            image, place, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderValue=(_GREY,) * 3
        )
        yield np.asarray(face[..., ::-1])


def _median(curve: Array) -> Array:
    padded = np.pad(curve, _SMOOTH_FRAMES // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH_FRAMES)
    return np.asarray(np.median(windows, axis=1))
