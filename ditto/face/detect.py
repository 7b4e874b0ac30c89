"""Finding all faces of a picture with MediaPipe's short-range detector, at several scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.network import Array, Network

Image = NDArray[np.uint8]

_INPUT_SIZE = 128
_MIN_SCORE = 0.7
_SAME_FACE_OVERLAP = 0.3
_SMALL_FACE_SHARE = 0.3
"""A largest face below this share of the searched window's side: look again, closer."""


@dataclass(frozen=True)
class Face:
    """One detection in image pixels."""

    score: float
    centre: Array
    width: float
    height: float
    points: Array
    """(6, 2) eyes (the image's left one first), nose, mouth, ears."""

    @property
    def side(self) -> float:
        """The longer side of the box."""
        return max(self.width, self.height)


def _anchors() -> Array:
    layers = []
    for cells, per_cell in ((16, 2), (8, 6)):
        axis = (np.arange(cells) + 0.5) / cells
        centres = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)  # row-major: x fast
        layers.append(np.repeat(centres, per_cell, axis=0))
    return np.concatenate(layers).astype(np.float32)


def _overlap(a: Face, b: Face) -> float:
    size_a, size_b = np.array([a.width, a.height]), np.array([b.width, b.height])
    low = np.maximum(a.centre - size_a / 2, b.centre - size_b / 2)
    high = np.minimum(a.centre + size_a / 2, b.centre + size_b / 2)
    shared = float(np.prod(np.clip(high - low, 0, None)))
    return shared / float(np.prod(size_a) + np.prod(size_b) - shared)


def _merge(faces: list[Face]) -> list[Face]:
    """Score-weighted mean of overlapping detections: steadier than keeping the best one."""
    left = sorted(faces, key=lambda face: -face.score)
    merged = []
    while left:
        group = [face for face in left if _overlap(left[0], face) > _SAME_FACE_OVERLAP]
        left = [face for face in left if not any(face is member for member in group)]
        weights = np.array([face.score for face in group])
        weights /= weights.sum()
        merged.append(
            Face(
                score=group[0].score,
                centre=sum(w * face.centre for w, face in zip(weights, group, strict=True)),
                width=float(weights @ [face.width for face in group]),
                height=float(weights @ [face.height for face in group]),
                points=sum(w * face.points for w, face in zip(weights, group, strict=True)),
            )
        )
    return merged


def _windows(side: int, divisor: int) -> Iterator[tuple[int, int, int]]:
    """Square windows (x, y, side) of a square picture's side / divisor, overlapping by half."""
    window = side // divisor
    starts = np.linspace(0, side - window, 2 * divisor - 1).astype(int)
    for y in starts:
        for x in starts:
            yield int(x), int(y), window


class FaceDetector:
    """All faces of a picture, largest first."""

    def __init__(self, task_path: Path) -> None:
        self._network = Network(task_path, "face_detector.tflite")
        self._anchors = _anchors()

    def __call__(self, image: Image) -> list[Face]:
        """Faces of an RGB image (H, W, 3); small ones are searched for window by window."""
        height, width = image.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = np.zeros((side, side, 3), np.uint8)
        square[top : top + height, left : left + width] = image
        faces: list[Face] = []
        for divisor in (1, 2, 4):
            for window in _windows(side, divisor):
                faces += self._search(square, window)
            faces = _merge(faces)
            largest = max((face.side for face in faces), default=0.0)
            if largest > _SMALL_FACE_SHARE * side / divisor:
                break
        offset = np.array([left, top], np.float32)
        moved = [replace(f, centre=f.centre - offset, points=f.points - offset) for f in faces]
        return sorted(moved, key=lambda face: -face.side)

    def _search(self, square: Image, window: tuple[int, int, int]) -> list[Face]:
        x, y, side = window
        pixels = cv2.resize(
            square[y : y + side, x : x + side],
            (_INPUT_SIZE, _INPUT_SIZE),
            interpolation=cv2.INTER_AREA if side > _INPUT_SIZE else cv2.INTER_LINEAR,
        )
        boxes, logits = self._network((pixels.astype(np.float32) / 127.5 - 1)[None])
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        return [
            self._decode(boxes[0, index], int(index), float(scores[index]), window)
            for index in np.flatnonzero(scores > _MIN_SCORE)
        ]

    def _decode(self, box: Array, index: int, score: float, window: tuple[int, int, int]) -> Face:
        x, y, side = window
        values = box.reshape(8, 2) / _INPUT_SIZE  # rows: centre, size, six points
        values[0] += self._anchors[index]
        values[2:] += self._anchors[index]
        origin = np.array([x, y], np.float32)
        return Face(
            score=score,
            centre=values[0] * side + origin,
            width=float(values[1, 0] * side),
            height=float(values[1, 1] * side),
            points=(values[2:] * side + origin).astype(np.float32),
        )
