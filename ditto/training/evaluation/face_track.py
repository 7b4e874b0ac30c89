"""The face mesh of every frame of a video, followed from picture to picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker, Mesh

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_SURE = 0.5
"""Presence below this: the face was lost, look for it in the whole picture."""


class FaceFollower:
    """Follows the largest face; one network pass a picture."""

    def __init__(self, landmarker_task: Path) -> None:
        self._detector = FaceDetector(landmarker_task)
        self._landmarker = FaceLandmarker(landmarker_task)

    def __call__(self, images: Iterable[Image]) -> Array:
        """(T, 478, 3) mesh points in pixels of T pictures.

        A frame in which no face is found repeats the one before. Raises `FaceError` when the first
        has none.
        """
        rows: list[Array] = []
        for image in images:
            mesh = self._next(image, rows[-1] if rows else None)
            if mesh is None and not rows:
                raise FaceError("no face in the first frame")
            rows.append(mesh.points if mesh else rows[-1])
        if not rows:
            raise FaceError("the video has no frames")
        return np.stack(rows)

    def _next(self, image: Image, before: Array | None) -> Mesh | None:
        if before is not None:
            mesh = self._landmarker.refine(image, before)
            if mesh.presence > _SURE:
                return mesh
        faces = self._detector(image)
        if not faces:
            return None
        mesh = self._landmarker(image, faces[0])
        return self._landmarker.refine(image, mesh.points)
