"""A portrait's face in the released way: detect, follow, crop, read the eyes (paper 3.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face import blaze_face, eye_state, face_mesh, landmark106, landmark203, scrfd
from ditto.face.onnx_network import Array
from ditto.face.reference_crop import (
    PORTRAIT_CROP,
    CropOptions,
    CropTransform,
    crop_image,
    crop_transform,
)
from ditto.face.released_networks import FaceNetworks

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class RegisteredFace:
    """One source frame's face."""

    crop: Image
    """(512, 512, 3) RGB, upright."""
    transform: CropTransform
    landmarks: Array
    """(203, 2) in image pixels: where the next video frame is looked at."""
    eye_open: Array
    """(2,) left, right."""
    eye_ball: Array
    """(6,) xL, xR, yL, yR, zL, zR."""


def bounded_size(height: int, width: int, max_side: int) -> tuple[int, int]:
    """Height and width with the longer side at most ``max_side`` (-1: any), both even."""
    longer = max(height, width)
    if 0 < max_side < longer:
        height, width = (int(side * max_side / longer) for side in (height, width))
    return height // 2 * 2, width // 2 * 2


def bounded_image(image: Image, max_side: int = 1920) -> Image:
    """The image resized to `bounded_size`."""
    height, width = bounded_size(image.shape[0], image.shape[1], max_side)
    if (height, width) == image.shape[:2]:
        return image
    return np.asarray(cv2.resize(image, (width, height)), np.uint8)


def register_face(
    image: Image,
    networks: FaceNetworks,
    previous: Array | None = None,
    options: CropOptions = PORTRAIT_CROP,
) -> RegisteredFace:
    """The face of an RGB image (H, W, 3).

    ``previous`` are the 203 landmarks of a video's frame before: the face is then followed without
    detecting it again. Raises `FaceError` when no face is found.
    """
    if previous is None:
        found = scrfd.detect(image, networks.insightface_det)
        box = found.boxes[found.largest()]
        previous = landmark106.landmarks(image, box, networks.landmark106)
    points = landmark203.landmarks(image, previous, networks.landmark203)
    transform = crop_transform(points, options)
    crop = crop_image(image, transform, options.size)
    mesh = _mesh(crop, networks)[None] / np.float32(options.size)
    return RegisteredFace(
        crop, transform, points, eye_state.eye_open(mesh)[0], eye_state.eye_ball(mesh)[0]
    )


def _mesh(crop: Image, networks: FaceNetworks) -> Array:
    faces = blaze_face.detect(crop, networks.blaze_face)
    if not len(faces):
        raise FaceError("no face found in the portrait's crop, where the eyes are read")
    return face_mesh.landmarks(crop, faces[0], networks.face_mesh)
