"""106 landmarks of a detected face: the released network's input, and its output mapped back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.onnx_network import Array, Run
from ditto.face.reference_crop import transform_points

Image = NDArray[np.uint8]

INPUT_SIZE = 192
_MARGIN = 1.5
"""Side of the crop over the longer side of the box."""


def box_transform(box: Array) -> Array:
    """(2, 3) from image pixels to the network's square, around a box x1, y1, x2, y2."""
    low, high = np.asarray(box[:2], np.float64), np.asarray(box[2:4], np.float64)
    zoom = INPUT_SIZE / (_MARGIN * (high - low).max())
    offset = INPUT_SIZE / 2 - zoom * (low + high) / 2
    return np.array([[zoom, 0, offset[0]], [0, zoom, offset[1]]], np.float32)


def network_input(image: Image, transform: Array) -> Array:
    """Input (1, 3, 192, 192) of an RGB image: raw pixel values, BGR as the released code feeds."""
    crop = cv2.warpAffine(image, transform, (INPUT_SIZE, INPUT_SIZE))
    return np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))


def decode(output: Array, transform: Array) -> Array:
    """Landmarks (106, 2) in image pixels of the network's output (1, 212)."""
    points = (output.reshape(-1, 2) + 1) * np.float32(INPUT_SIZE / 2)
    to_image = np.asarray(cv2.invertAffineTransform(transform), np.float32)
    return transform_points(points, to_image)


def landmarks(image: Image, box: Array, network: Run) -> Array:
    """Landmarks (106, 2) of the face in a box x1, y1, x2, y2 of an RGB image."""
    transform = box_transform(box)
    return decode(network(network_input(image, transform))[0], transform)
