"""Boxes and six points from the released BlazeFace file: its input, and its two outputs decoded."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.onnx_network import Array, Run

Image = NDArray[np.uint8]

INPUT_SIZE = 128
MIN_SCORE = 0.5
SAME_FACE_OVERLAP = 0.3
_MAX_LOGIT = 100.0


@cache
def anchors() -> Array:
    """(896, 2) anchor centres in 0..1."""
    layers = []
    for cells, per_cell in ((16, 2), (8, 6)):
        axis = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        centres = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)  # row-major: x fast
        layers.append(np.repeat(centres, per_cell, axis=0))
    return np.concatenate(layers).astype(np.float32)


def network_input(image: Image) -> Array:
    """Input (1, 128, 128, 3) in -1..1 of a square RGB image."""
    small = cv2.resize(image, (INPUT_SIZE, INPUT_SIZE))
    return (small.astype(np.float32) / 127.5 - 1)[None]


def decode(regressors: Array, logits: Array) -> Array:
    """Faces (N, 17), best first: x1, y1, x2, y2, six points, score; coordinates in 0..1.

    Overlapping detections are merged by their score-weighted mean, scores by the plain mean.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -_MAX_LOGIT, _MAX_LOGIT)))
    values = regressors.reshape(-1, 8, 2) / np.float32(INPUT_SIZE)  # rows: centre, size, points
    centre, half = values[:, 0] + anchors(), values[:, 1] / 2
    points = values[:, 2:] + anchors()[:, None]
    columns = [centre - half, centre + half, points.reshape(-1, 12), scores[:, None]]
    faces = np.concatenate(columns, axis=1).astype(np.float32)[scores >= MIN_SCORE]
    return _merge(faces[np.argsort(-faces[:, 16], kind="stable")])


def _merge(faces: Array) -> Array:
    merged: list[Array] = []
    while len(faces):
        same = _overlap(faces[0], faces) > SAME_FACE_OVERLAP
        group, faces = faces[same], faces[~same]
        weights = group[:, 16] / group[:, 16].sum()
        merged.append(np.append(weights @ group[:, :16], group[:, 16].mean()).astype(np.float32))
    return np.stack(merged) if merged else np.empty((0, 17), np.float32)


def _overlap(face: Array, faces: Array) -> Array:
    low = np.maximum(face[:2], faces[:, :2])
    high = np.minimum(face[2:4], faces[:, 2:4])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (faces[:, 2:4] - faces[:, :2]).prod(axis=1)
    area = (face[2:4] - face[:2]).prod()
    return np.asarray(shared / (areas + area - shared), np.float32)


def detect(image: Image, network: Run) -> Array:
    """Faces (N, 17) of a square RGB image, in its pixels but for the score."""
    regressors, logits = network(network_input(image))[:2]
    faces = decode(regressors, logits)
    faces[:, :16] *= len(image)
    return faces
