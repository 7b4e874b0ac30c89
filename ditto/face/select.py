"""Whether a portrait's face can be animated: one face, large enough, turned little enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.detect import Face, FaceDetector
from ditto.face.head import measure_head
from ditto.face.landmarks import FaceLandmarker, Mesh

Image = NDArray[np.uint8]

SAME_SIZE_SHARE = 0.6
"""A second face of at least this share of the largest one's side makes the choice unclear."""
MIN_FACE_PX = 64
GOOD_FACE_PX = 140
"""Forehead to chin in image pixels: refused below the first, warned about below the second."""
MAX_YAW_DEGREES = 35.0
GOOD_YAW_DEGREES = 20.0
MAX_PITCH_DEGREES = 35.0
_MIN_PRESENCE = 0.5


def main_face(faces: list[Face]) -> Face:
    """The face to animate among detections, largest first. Raises `FaceError`."""
    if not faces:
        raise FaceError("no face found: send a picture that shows one face from the front")
    rivals = [face for face in faces if face.side >= SAME_SIZE_SHARE * faces[0].side]
    if len(rivals) > 1:
        raise FaceError(
            f"{len(rivals)} faces of comparable size found: send a picture with one face, "
            "or crop it to the one that shall speak"
        )
    return faces[0]


def find_portrait_face(
    image: Image, detector: FaceDetector, landmarker: FaceLandmarker
) -> tuple[Mesh, tuple[str, ...]]:
    """The mesh of the one face of an RGB image and warnings about it. Raises `FaceError`."""
    mesh = landmarker(image, main_face(detector(image)))
    if mesh.presence < _MIN_PRESENCE:
        raise FaceError("no face found: what looked like one shows no eyes, nose and mouth")
    return mesh, judge_mesh(mesh)


def judge_mesh(mesh: Mesh) -> tuple[str, ...]:
    """Warnings about size and pose. Raises `FaceError` for what cannot be animated."""
    head = measure_head(mesh.points)
    height_px = head.face_height_mm * head.pixels_per_mm
    pitch, yaw, _ = head.angles_degrees()
    if height_px < MIN_FACE_PX:
        raise FaceError(
            f"the face is {height_px:.0f} pixels high, at least {MIN_FACE_PX} are needed: "
            "send a larger picture or crop it to the head"
        )
    if abs(yaw) > MAX_YAW_DEGREES:
        raise FaceError(
            f"the head is turned {abs(yaw):.0f} degrees sideways, at most "
            f"{MAX_YAW_DEGREES:.0f} work: send a picture from the front"
        )
    if abs(pitch) > MAX_PITCH_DEGREES:
        raise FaceError(
            f"the head is tilted {abs(pitch):.0f} degrees up or down, at most "
            f"{MAX_PITCH_DEGREES:.0f} work: send a picture from the front"
        )
    warnings = []
    if height_px < GOOD_FACE_PX:
        warnings.append(f"small face ({height_px:.0f} pixels high): it will look soft")
    if abs(yaw) > GOOD_YAW_DEGREES:
        warnings.append(f"head turned {abs(yaw):.0f} degrees: head movement is limited")
    return tuple(warnings)
