"""The lattice that displacement fields live on: one node a 4 x 4 block of the HEAD view."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HEAD_SIZE: Final = 512
STEP: Final = 4
NODES: Final = HEAD_SIZE // STEP + 2
"""Nodes a side, with one beyond each border, so that upscaling meets the pixels exactly."""
COARSE_STEP: Final = 2 * STEP
COARSE_NODES: Final = NODES // 2 + 3


def node_positions() -> Array:
    """(NODES, NODES, 2) x, y of the nodes in HEAD pixels: the centres of the blocks."""
    axis = (np.arange(NODES) - 1) * STEP + (STEP - 1) / 2
    return np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)


def coarse_positions() -> Array:
    """(COARSE_NODES, COARSE_NODES, 2): where fields are solved and stored."""
    axis = (np.arange(COARSE_NODES) - 1) * COARSE_STEP
    return np.stack(np.meshgrid(axis, axis), axis=-1).astype(np.float32)


def refine(coarse: Array) -> Array:
    """Coarse fields (COARSE_NODES, COARSE_NODES, C) cubically on the lattice (NODES, NODES, C)."""
    place = (node_positions() / COARSE_STEP + 1).astype(np.float32)
    planes = [
        cv2.remap(
            np.ascontiguousarray(coarse[..., c : c + 4]), place, None, cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(NODES, NODES, -1)
        for c in range(0, coarse.shape[-1], 4)
    ]  # fmt: skip
    return np.concatenate(planes, axis=-1)


def nodes_to_pixels(values: Array) -> Array:
    """Lattice values (h, w, C), bordered by one node, as pixels (4h - 8, 4w - 8, C)."""
    h, w = values.shape[:2]
    large = cv2.resize(values, (w * STEP, h * STEP), interpolation=cv2.INTER_LINEAR)
    return large[STEP:-STEP, STEP:-STEP]
