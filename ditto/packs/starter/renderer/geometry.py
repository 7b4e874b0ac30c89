"""What every part of the renderer measures from: the portrait's mesh on the HEAD view."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.head import HeadFrame, measure_head

Array = NDArray[np.float32]

MAX_GAP_SHARE = 0.10
"""Inner-lip gap at lipGap 1, over the face height."""


@dataclass(frozen=True)
class FaceGeometry:
    """The mesh in HEAD pixels and in head millimetres."""

    points: Array
    """(478, 3) HEAD pixels; z away from the camera."""

    @cached_property
    def frame(self) -> HeadFrame:
        """Head axes and scale."""
        return measure_head(self.points)

    @cached_property
    def mm(self) -> float:
        """HEAD pixels a millimetre."""
        return self.frame.pixels_per_mm

    @cached_property
    def head_mm(self) -> Array:
        """(478, 3) head millimetres, origin between the ears."""
        return self.frame.to_head_mm(self.points)

    @cached_property
    def xy(self) -> Array:
        """(478, 2) HEAD pixels."""
        return np.ascontiguousarray(self.points[:, :2])

    @cached_property
    def to_pixels(self) -> Array:
        """(3, 2): head millimetres (row vector) to HEAD pixel displacement."""
        return np.ascontiguousarray(self.frame.axes[:2].T * self.mm)

    @cached_property
    def seam(self) -> Array:
        """(11, 3) the line where the lips meet, in HEAD pixels."""
        upper = self.points[list(topo.UPPER_LIP_INNER)]
        lower = self.points[list(topo.LOWER_LIP_INNER)]
        return np.asarray((upper + lower) / 2, np.float32)

    @cached_property
    def mouth_centre_mm(self) -> Array:
        """(3,) middle of the inner mouth corners, head millimetres."""
        corners = self.head_mm[[topo.RIGHT_INNER_CORNER, topo.LEFT_INNER_CORNER]]
        return np.asarray(corners.mean(0), np.float32)

    @cached_property
    def mouth_half_mm(self) -> float:
        """Half the distance of the inner mouth corners, millimetres."""
        a, b = self.head_mm[[topo.RIGHT_INNER_CORNER, topo.LEFT_INNER_CORNER]]
        return float(np.linalg.norm(b - a) / 2)

    @cached_property
    def gap_mm(self) -> float:
        """The portrait's own inner-lip gap at the middle, millimetres; below 0.6 counts as shut."""
        a, b = self.head_mm[[topo.UPPER_LIP_MID, topo.LOWER_LIP_MID]]
        gap = float(np.linalg.norm(b - a))
        return gap if gap > 0.6 else 0.0

    @cached_property
    def max_gap_mm(self) -> float:
        """Inner-lip gap at lipGap 1, millimetres."""
        return MAX_GAP_SHARE * self.frame.face_height_mm
