"""The example portrait and the networks that find its face, loaded once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto import packs
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker

Image = NDArray[np.uint8]

_FILE = Path(__file__).resolve().parents[2] / "examples" / "astronaut.jpg"


@cache
def task_path() -> Path:
    return packs.load("starter").asset("face_landmarker")


@cache
def detector() -> FaceDetector:
    return FaceDetector(task_path())


@cache
def landmarker() -> FaceLandmarker:
    return FaceLandmarker(task_path())


def astronaut() -> Image:
    """(512, 512, 3) RGB: one face of about 110 pixels, smiling with teeth."""
    return cv2.cvtColor(cv2.imread(str(_FILE)), cv2.COLOR_BGR2RGB)


def close_up(zoom: float = 2.0) -> Image:
    """Head and shoulders, enlarged."""
    cut = astronaut()[0:300, 70:370]
    return cv2.resize(cut, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)


def mesh_of(image: Image) -> NDArray[np.float32]:
    """(478, 3) mesh of the largest face."""
    faces = detector()(image)
    assert faces, "no face in the picture"
    return landmarker()(image, faces[0]).points
