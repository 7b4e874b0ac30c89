"""The head's own frame: axes, millimetres and angles, measured from the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ditto.face.network import Array
from ditto.face.topology import CHIN, FOREHEAD, LEFT_EAR, LEFT_IRIS, RIGHT_EAR, RIGHT_IRIS

PUPIL_DISTANCE_MM = 63.0
_PITCH_OFFSET_DEGREES = 8.0
"""The line from forehead to chin leans back by this much when a face looks straight ahead."""


@dataclass(frozen=True)
class HeadFrame:
    """Head axes in image space. Head coordinates are x to the image's right, y down, z away."""

    axes: Array
    """(3, 3), columns x, y, z of the head in image axes (x right, y down, z away)."""
    ears: Array
    """(3,) the point between the ears, in image pixels: origin and jaw hinge."""
    pixels_per_mm: float
    face_height_mm: float
    """Forehead to chin along the mesh's 3-D distance."""

    def to_head_mm(self, points: Array) -> Array:
        """Image points (N, 3) in head millimetres."""
        return np.asarray((points - self.ears) @ self.axes / self.pixels_per_mm, np.float32)

    def angles_degrees(self) -> tuple[float, float, float]:
        """Pitch (+ down), yaw (+ to the image's left), roll (+ clockwise on the screen)."""
        yaw = np.arcsin(np.clip(-self.axes[2, 0], -1, 1))
        pitch = np.arctan2(self.axes[2, 1], self.axes[2, 2])
        roll = np.arctan2(self.axes[1, 0], self.axes[0, 0])
        pitch, yaw, roll = np.degrees([pitch, yaw, roll])
        return float(pitch) - _PITCH_OFFSET_DEGREES, float(yaw), float(roll)


def measure_head(points: Array) -> HeadFrame:
    """The head frame of a mesh (478, 3)."""
    p = points.astype(np.float64)
    x = p[LEFT_EAR] - p[RIGHT_EAR]
    x /= np.linalg.norm(x)
    down = p[CHIN] - p[FOREHEAD]
    face_height = float(np.linalg.norm(down))
    y = down - (down @ x) * x
    y /= np.linalg.norm(y)
    pixels_per_mm = float(np.linalg.norm(p[LEFT_IRIS[0]] - p[RIGHT_IRIS[0]])) / PUPIL_DISTANCE_MM
    return HeadFrame(
        axes=np.stack([x, y, np.cross(x, y)], axis=1).astype(np.float32),
        ears=((p[LEFT_EAR] + p[RIGHT_EAR]) / 2).astype(np.float32),
        pixels_per_mm=pixels_per_mm,
        face_height_mm=face_height / pixels_per_mm,
    )
