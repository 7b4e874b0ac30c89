"""Which mesh points are lips, how deep in the lip they lie, and where along the mouth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.face.topology import LOWER_LIP_ROWS, SKIN_POINTS, UPPER_LIP_ROWS
from ditto.packs.starter.renderer.geometry import FaceGeometry

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

_ROW_DEPTHS = (0.55, 0.75, 0.9, 1.0)
"""How much of a lip movement a row takes part in, from the skin to the inner edge."""


@dataclass(frozen=True)
class LipVertices:
    """Per skin vertex (468,): lip membership and mouth coordinates."""

    upper: Mask
    lower: Mask
    corner: Mask
    depth: Array
    """0 off the lips, 0.55 (outer edge) to 1 (inner edge) on them."""
    across: Array
    """-1 at the mouth's image-left corner, +1 at the right one, clipped to +-1.3."""
    distance_mm: Array
    """Distance to the nearest lip vertex."""

    @property
    def lips(self) -> Mask:
        """Both lips with their corners."""
        return self.upper | self.lower | self.corner

    @property
    def side(self) -> Array:
        """|across|, at most 1."""
        return np.minimum(np.abs(self.across), 1)

    @property
    def middle(self) -> Array:
        """1 in the middle of the mouth, 0 at the corners: the profile of a lens-shaped opening."""
        return 1 - self.side**2


def find_lips(face: FaceGeometry) -> LipVertices:
    """The lip vertices of a face."""
    upper, lower = np.zeros(SKIN_POINTS, bool), np.zeros(SKIN_POINTS, bool)
    depth = np.zeros(SKIN_POINTS, np.float32)
    for rows, member in ((UPPER_LIP_ROWS, upper), (LOWER_LIP_ROWS, lower)):
        for row, value in zip(rows, _ROW_DEPTHS, strict=True):
            member[list(row)] = True
            depth[list(row)] = value
    corner = upper & lower
    skin = face.head_mm[:SKIN_POINTS, :2]
    lips = skin[upper | lower]
    distance = np.sqrt(((skin[:, None] - lips[None]) ** 2).sum(-1)).min(1)
    across = (skin[:, 0] - face.mouth_centre_mm[0]) / face.mouth_half_mm
    return LipVertices(
        upper=upper & ~corner,
        lower=lower & ~corner,
        corner=corner,
        depth=depth,
        across=np.clip(across, -1.3, 1.3).astype(np.float32),
        distance_mm=distance.astype(np.float32),
    )
