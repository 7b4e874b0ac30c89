"""Head rotation and the keypoint transform, as the published networks define them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def rotation_matrix(
    pitch: NDArray[np.floating], yaw: NDArray[np.floating], roll: NDArray[np.floating]
) -> Array:
    """(T, 3, 3) from angles in degrees (T,): ``(Rz Ry Rx)^T``, for row vectors ``kp @ R``."""
    angles = np.deg2rad(np.stack([pitch, yaw, roll]).astype(np.float64))
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    rows = [
        [cz * cy, sz * cy, -sy],
        [cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx],
        [cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx],
    ]
    return np.moveaxis(np.array(rows, np.float32), -1, 0)


def transform_keypoints(
    canonical: NDArray[np.floating],
    rotation: NDArray[np.floating],
    exp: NDArray[np.floating],
    scale: NDArray[np.floating],
    t: NDArray[np.floating],
) -> Array:
    """Posed keypoints (T, 21, 3): ``(kp @ R + exp) * scale``, then t added to x and y only.

    canonical (21, 3) or (T, 21, 3); rotation (T, 3, 3); exp (T, 63); scale (T,); t (T, 3).
    """
    posed = canonical @ rotation + exp.reshape(-1, 21, 3)  # T K 3
    posed = posed * scale[:, None, None]
    posed[..., :2] += t[:, None, :2]
    return np.asarray(posed, np.float32)
