"""The 478-point face mesh of one detected face, in image pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.detect import Face
from ditto.face.network import Array, Network
from ditto.face.topology import LEFT_EYE_UPPER, MESH_POINTS, RIGHT_EYE_UPPER, SKIN_POINTS

Image = NDArray[np.uint8]

_INPUT_SIZE = 256
_MARGIN = 1.5
"""Side of the region given to the network, over the longer side of the face's box."""


@dataclass(frozen=True)
class Mesh:
    """``points`` (478, 3): x right, y down, z away from the camera, all in image pixels."""

    points: Array
    presence: float
    """0..1: how sure the network is that there is a face at all."""


class FaceLandmarker:
    """Mesh of a face: one pass from the detection, one from that pass's own outline."""

    def __init__(self, task_path: Path) -> None:
        self._network = Network(task_path, "face_landmarks_detector.tflite")

    def __call__(self, image: Image, face: Face) -> Mesh:
        """The mesh of one face of an RGB image (H, W, 3)."""
        right, left = face.points[0], face.points[1]
        mesh = self._run(image, face.centre, _MARGIN * face.side, left - right)
        return self.refine(image, mesh.points)

    def refine(self, image: Image, points: Array) -> Mesh:
        """The mesh again, looked for around known points: also how a face is followed in video."""
        axis = (points[LEFT_EYE_UPPER[-1]] - points[RIGHT_EYE_UPPER[0]])[:2]
        axis = axis / max(float(np.linalg.norm(axis)), 1e-6)
        turn = np.array([[axis[0], -axis[1]], [axis[1], axis[0]]], np.float32)
        upright = points[:SKIN_POINTS, :2] @ turn
        low, high = upright.min(0), upright.max(0)
        return self._run(image, turn @ ((low + high) / 2), _MARGIN * (high - low).max(), axis)

    def _run(self, image: Image, centre: Array, side: float, eye_axis: Array) -> Mesh:
        angle = np.arctan2(eye_axis[1], eye_axis[0])
        zoom = side / _INPUT_SIZE
        linear = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        origin = centre - linear @ np.full(2, _INPUT_SIZE / 2)
        placement = np.c_[linear, origin]
        pixels = cv2.warpAffine(
            image, placement, (_INPUT_SIZE,) * 2, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        mesh, presence, _ = self._network((pixels.astype(np.float32) / np.float32(255))[None])
        local = mesh.reshape(MESH_POINTS, 3)
        points = np.c_[local[:, :2] @ linear.T + origin, local[:, 2] * zoom].astype(np.float32)
        return Mesh(points, float(1 / (1 + np.exp(-presence.ravel()[0]))))
