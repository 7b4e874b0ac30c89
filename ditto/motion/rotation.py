"""Head rotation and the keypoint transform, as the published networks define them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def rotation_matrix(
    pitch: NDArray[np.floating], yaw: NDArray[np.floating], roll: NDArray[np.floating]
) -> Array:
    """(T, 3, 3) from angles in degrees (T,): ``(Rz Ry Rx)^T``, for row vectors ``kp @ R``."""
    x, y, z = (np.deg2rad(np.asarray(angle, np.float64)) for angle in (pitch, yaw, roll))
    one, zero = np.ones_like(x), np.zeros_like(x)

    def matrix(*rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    rx = matrix([one, zero, zero], [zero, np.cos(x), -np.sin(x)], [zero, np.sin(x), np.cos(x)])
    ry = matrix([np.cos(y), zero, np.sin(y)], [zero, one, zero], [-np.sin(y), zero, np.cos(y)])
    rz = matrix([np.cos(z), -np.sin(z), zero], [np.sin(z), np.cos(z), zero], [zero, zero, one])
    return np.swapaxes(rz @ ry @ rx, -1, -2).astype(np.float32)


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
