"""FID and FVD (paper 4.2): Frechet distances between features of real and generated pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.face.crop import crop_image, head_crop
from ditto.face.sampling import resize
from ditto.training.evaluation import talking_video

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

_HEAD_SIDE = 512
_I3D_SIDE, _I3D_FRAMES = 224, 16
_BATCH = 16


def load_torchscript(path: Path) -> torch.jit.ScriptModule:
    """A published feature network. Raises `CorruptDataError` for anything but TorchScript."""
    try:
        network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise CorruptDataError(f"{path} is no TorchScript file: {error}") from error
    return network.eval()


def heads(video: Path, points: NDArray[np.float32]) -> Iterator[Image]:
    """HEAD crops (512, 512, 3) of a video, placed by the face mesh (478, 3) of one of its frames.

    A generated video and its real clip are framed alike by it.
    """
    placement = head_crop(points, _HEAD_SIDE)
    for image in talking_video.frames(video):
        yield crop_image(image, placement, _HEAD_SIDE)


def picture_features(network: torch.jit.ScriptModule, images: Iterable[Image]) -> Array:
    """(N, 2048) Inception features."""
    with torch.no_grad():
        rows = [
            network(torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2), return_features=True)
            for batch in _batches(images)
        ]
    return np.asarray(torch.cat(rows), np.float64)


def video_features(network: torch.jit.ScriptModule, images: Iterable[Image]) -> Array:
    """(N, 400) I3D features of the whole stretches of 16 frames in a video."""
    small = (resize(image, _I3D_SIDE, _I3D_SIDE, cv2.INTER_AREA) for image in images)
    rows = []
    with torch.no_grad():
        for stretch in _batches(small, _I3D_FRAMES):
            if len(stretch) == _I3D_FRAMES:
                clip = torch.from_numpy(np.stack(stretch)).float() / 127.5 - 1  # 16 H W 3
                batch = clip.permute(3, 0, 1, 2)[None]
                rows.append(network(batch, rescale=False, resize=False, return_features=True))
    return np.asarray(torch.cat(rows), np.float64) if rows else np.zeros((0, 400))


def frechet_distance(first: Array, second: Array) -> float:
    """Between Gaussians fitted to features (N, D) and (M, D)."""
    apart = first.mean(0) - second.mean(0)
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = _root(one)
    values = np.linalg.eigvalsh(root @ other @ root)
    shared = np.sqrt(np.clip(values, 0, None)).sum()
    return float(apart @ apart + np.trace(one) + np.trace(other) - 2 * shared)


def _root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)


def _batches(images: Iterable[Image], size: int = _BATCH) -> Iterator[list[Image]]:
    batch: list[Image] = []
    for image in images:
        batch.append(image)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
