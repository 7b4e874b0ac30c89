"""The motion of a face in a video, measured on its mesh: a track that drives any portrait.

Head pose, lips, lids, gaze, brows, smile and pucker are read; a face mesh shows no more. Amounts
count from the face's own usual look in the clip, so that no neutral frame is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.detect import FaceDetector
from ditto.face.eye_state import eye_open
from ditto.face.landmarks import FaceLandmarker
from ditto.motion import semantics
from ditto.motion.layout import Motion, pack
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.stages import Image

Array = NDArray[np.float32]

_CROP_FACES = 2.0
"""Side of the HEAD view over the height of the face."""
_JAW_SHARE = 0.7
_IRIS_TRAVEL_ACROSS, _IRIS_TRAVEL_UP = 0.40, 0.26
_SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)
_EYES = ((33, 133, 468), (362, 263, 473))
_MOUTH_CORNERS, _BROW_LIDS = (61, 291), ((105, 159), (334, 386))


def extract_motion(
    images: Iterable[Image], detector: FaceDetector, landmarker: FaceLandmarker
) -> Array:
    """Motion frames (T, 265) of the largest face in the pictures (H, W, 3) of a video.

    Raises `FaceError` when the first one shows none.
    """
    points: Array | None = None
    meshes: list[Array] = []
    for image in images:
        if points is None:
            faces = detector(image)
            if not faces:
                raise FaceError("no face in the video's first picture")
            points = landmarker(image, faces[0]).points
        points = landmarker.refine(image, points).points
        meshes.append(points)
    return motion_of(np.stack(meshes))


def motion_of(meshes: Array) -> Array:
    """Motion frames (T, 265) of meshes (T, 478, 3) of one face, in pixels."""
    faces = [FaceGeometry(points) for points in meshes]
    angles = _smoothed(np.array([face.frame.angles_degrees() for face in faces], np.float32))
    height = np.array([face.frame.face_height_mm * face.mm for face in faces])
    usual = float(np.median(height))
    middle = _smoothed(np.array([points[:468, :2].mean(0) for points in meshes], np.float32))
    shift = np.zeros((len(meshes), 3), np.float32)
    shift[:, :2] = (middle - middle[:1]) / (_CROP_FACES * usual / 2)
    scale = _smoothed((height / height[0]).astype(np.float32)[:, None])[:, 0]
    exp = semantics.encode(_smoothed(_amounts(meshes, faces)))
    pitch, yaw, roll = angles.T
    return pack(Motion(scale, pitch, yaw, roll, shift, exp))


def _amounts(meshes: Array, faces: list[FaceGeometry]) -> Array:
    """(T, C) control amounts."""
    amounts = np.zeros((len(meshes), len(semantics.control_names())), np.float32)

    def put(name: str, values: NDArray[np.floating]) -> None:
        low, high = semantics.control_ranges()[semantics.control_index(name)]
        amounts[:, semantics.control_index(name)] = np.clip(values, low, high)

    gap = np.array([face.gap_mm / face.max_gap_mm for face in faces])
    put("lipGap", gap)
    put("jawOpen", _JAW_SHARE * gap)
    open_eyes = eye_open(meshes)  # T 2: left and right of the image, the subject's right and left
    usual = np.quantile(open_eyes, 0.8, axis=0)
    closed = (1 - open_eyes / usual - 0.2) / 0.6
    put("eyeBlinkRight", closed[:, 0])
    put("eyeBlinkLeft", closed[:, 1])
    across, down = _iris(meshes).T
    put("gazeX", _beyond_usual(across) / _IRIS_TRAVEL_ACROSS)
    put("gazeY", -_beyond_usual(down) / _IRIS_TRAVEL_UP)
    width = _beyond_usual(np.array([_span(f.head_mm, *_MOUTH_CORNERS) for f in faces]))
    put("mouthSmile", width / 12)
    put("mouthPucker", -width / 12)
    lift = [np.mean([_span(f.head_mm, *pair) for pair in _BROW_LIDS]) for f in faces]
    brows = _beyond_usual(np.array(lift))
    put("browUp", (brows - 1) / 6)
    put("browDown", (-brows - 1) / 5)
    return amounts


def _iris(meshes: Array) -> Array:
    """(T, 2) mean place of the irises, across and down between the corners of the eyes, in
    half-widths."""
    places = []
    for left, right, iris in _EYES:
        half = (meshes[:, right, :2] - meshes[:, left, :2]) / 2
        offset = meshes[:, iris, :2] - (meshes[:, right, :2] + meshes[:, left, :2]) / 2
        axes = np.stack([half, half[:, ::-1] * [-1, 1]], axis=1)  # T 2 2: along, and downwards
        places.append((axes @ offset[..., None])[..., 0] / (half**2).sum(1)[:, None])
    return np.asarray(np.mean(places, axis=0), np.float32)


def _beyond_usual(values: NDArray[np.floating]) -> Array:
    return np.asarray(values - np.median(values), np.float32)


def _span(points: Array, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a] - points[b]))


def _smoothed(rows: Array) -> Array:
    """Rows (T, D) over three frames; a mesh trembles."""
    padded = np.concatenate([rows[:1], rows, rows[-1:]])
    return np.asarray(
        sum(w * padded[at : at + len(rows)] for at, w in enumerate(_SMOOTH)), np.float32
    )
