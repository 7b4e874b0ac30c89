"""Face boxes from the released detector (SCRFD): its input, and its nine outputs decoded."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.onnx_network import Array, Run

Image = NDArray[np.uint8]

INPUT_SIZE = 512
STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 2
MIN_SCORE = 0.5
MAX_OVERLAP = 0.4


@dataclass(frozen=True)
class Detections:
    """Faces in image pixels, best score first."""

    boxes: Array
    """(N, 5) x1, y1, x2, y2, score."""
    keypoints: Array
    """(N, 5, 2) eyes, nose, mouth corners."""

    def largest(self) -> int:
        """Index of the largest box. Raises `FaceError` when there is none."""
        if not len(self.boxes):
            raise FaceError("no face found in the image")
        sides = self.boxes[:, 2:4] - self.boxes[:, :2]
        return int(np.argmax(sides.prod(axis=1)))


def detector_input(image: Image) -> tuple[Array, float]:
    """Input (1, 3, 512, 512) of an RGB image (H, W, 3), and the zoom that was applied.

    The image is letterboxed at the top left. The channels are BGR, as the released code feeds them.
    """
    height, width = image.shape[:2]
    if height > width:
        new_height, new_width = INPUT_SIZE, int(INPUT_SIZE * width / height)
    else:
        new_height, new_width = int(INPUT_SIZE * height / width), INPUT_SIZE
    canvas = np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    canvas[:new_height, :new_width] = cv2.resize(image, (new_width, new_height))
    planes = (canvas[..., ::-1].astype(np.float32) - 127.5) / 128
    return np.ascontiguousarray(planes.transpose(2, 0, 1)[None]), new_height / height


def decode(outputs: list[Array], zoom: float) -> Detections:
    """Faces of the network's outputs: scores, boxes, keypoints, each for strides 8, 16, 32."""
    scores, distances, offsets = outputs[:3], outputs[3:6], outputs[6:9]
    levels = zip(scores, distances, offsets, STRIDES, strict=True)
    found = [_decode_stride(*level) for level in levels]
    boxes, keypoints = (np.concatenate(parts) for parts in zip(*found, strict=True))
    boxes[:, :4] /= zoom
    keypoints /= zoom
    order = np.argsort(-boxes[:, 4])
    kept = order[_suppress(boxes[order])]
    return Detections(boxes[kept], keypoints[kept])


def _decode_stride(
    scores: Array, distances: Array, offsets: Array, stride: int
) -> tuple[Array, Array]:
    """Boxes (n, 5) and keypoints (n, 5, 2) of one level, in letterboxed pixels."""
    scores = scores.reshape(-1)
    kept = np.flatnonzero(scores >= MIN_SCORE)
    centres = _centres(stride)[kept]  # n 2
    sides = distances.reshape(-1, 4)[kept] * stride
    corners = [centres - sides[:, :2], centres + sides[:, 2:], scores[kept, None]]
    keypoints = centres[:, None] + offsets.reshape(-1, 5, 2)[kept] * stride
    return np.concatenate(corners, axis=1).astype(np.float32), keypoints.astype(np.float32)


def _centres(stride: int) -> Array:
    axis = np.arange(0, INPUT_SIZE, stride, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)  # row-major: x fast
    return np.repeat(grid, ANCHORS_PER_CELL, axis=0)


def _suppress(boxes: Array) -> NDArray[np.int64]:
    """Indices of the boxes (N, 5), best first, that no better one overlaps too much."""
    corners_low, corners_high = boxes[:, :2], boxes[:, 2:4]
    areas = (corners_high - corners_low + 1).prod(axis=1)
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left):
        best, rest = left[0], left[1:]
        kept.append(int(best))
        low = np.maximum(corners_low[best], corners_low[rest])
        high = np.minimum(corners_high[best], corners_high[rest])
        shared = np.clip(high - low + 1, 0, None).prod(axis=1)
        left = rest[shared / (areas[best] + areas[rest] - shared) <= MAX_OVERLAP]
    return np.array(kept, np.int64)


def detect(image: Image, network: Run) -> Detections:
    """All faces of an RGB image (H, W, 3)."""
    blob, zoom = detector_input(image)
    return decode(network(blob), zoom)
