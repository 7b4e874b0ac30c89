"""Where the face is in a portrait: by the released detectors, or by MediaPipe's landmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ditto.face.crop import crop_image, head_crop, transform_points
from ditto.face.detect import FaceDetector
from ditto.face.eye_state import eye_ball, eye_open
from ditto.face.landmarks import FaceLandmarker
from ditto.face.reference_crop import PORTRAIT_CROP
from ditto.face.reference_registration import register_face
from ditto.face.released_networks import load_face_networks
from ditto.face.select import find_portrait_face
from ditto.stages import Array, Image

CROP_SIZE = PORTRAIT_CROP.size


@dataclass(frozen=True)
class PortraitFace:
    """One face, upright."""

    crop: Image
    """(512, 512, 3) RGB."""
    to_image: Array
    """(3, 3) from crop to image pixels."""
    eye_state: Array
    """(8,) eye-open left, right; eye-ball xL, xR, yL, yR, zL, zR."""
    warnings: tuple[str, ...] = ()


Registrar = Callable[[Image], PortraitFace]
"""An RGB image (H, W, 3) to its face. Raises `FaceError`."""


def released_registrar(folder: Path) -> Registrar:
    """The five released networks. Raises `SetupError` that lists which are missing."""
    networks = load_face_networks(folder)

    def register(image: Image) -> PortraitFace:
        face = register_face(image, networks)
        eyes = np.concatenate([face.eye_open, face.eye_ball])
        return PortraitFace(face.crop, face.transform.to_image, eyes)

    return register


def mesh_registrar(landmark_model: Path) -> Registrar:
    """One face, found and judged as the starter pack does; the crop is as large as the released."""
    detector, landmarker = FaceDetector(landmark_model), FaceLandmarker(landmark_model)

    def register(image: Image) -> PortraitFace:
        mesh, warnings = find_portrait_face(image, detector, landmarker)
        to_crop = head_crop(mesh.points, CROP_SIZE)
        points = transform_points(to_crop, mesh.points)[None] / np.float32(CROP_SIZE)
        square = np.vstack([to_crop, [0, 0, 1]])
        return PortraitFace(
            crop_image(image, to_crop, CROP_SIZE),
            np.linalg.inv(square).astype(np.float32),
            np.concatenate([eye_open(points)[0], eye_ball(points)[0]]),
            warnings,
        )

    return register
