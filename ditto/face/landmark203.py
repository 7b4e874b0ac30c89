"""203 landmarks of a face, followed from other landmarks: the released tracking network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.face.onnx_network import Array, Run
from ditto.face.reference_crop import (
    TRACKING_CROP,
    crop_image,
    crop_transform,
    transform_points,
)

Image = NDArray[np.uint8]


def network_input(crop: Image) -> Array:
    """Input (1, 3, 224, 224), RGB in 0..1, of a tracking crop."""
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def decode(output: Array, to_image: Array) -> Array:
    """Landmarks (203, 2) in image pixels of the network's output (1, 406)."""
    return transform_points(output.reshape(-1, 2) * np.float32(TRACKING_CROP.size), to_image)


def landmarks(image: Image, points: Array, network: Run) -> Array:
    """Landmarks (203, 2) of an RGB image, near known ones: 106 at first, then the last frame's 203.

    The landmarks are the last of the network's outputs; one released variant has two more before.
    """
    transform = crop_transform(points, TRACKING_CROP)
    crop = crop_image(image, transform, TRACKING_CROP.size)
    return decode(network(network_input(crop))[-1], transform.to_image)
