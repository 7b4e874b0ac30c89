"""The lattice that displacement fields live on: one node a 4 x 4 block of the HEAD view."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import resize

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


@cache
def _refinement() -> Array:
    """(NODES, COARSE_NODES): Catmull-Rom weights from coarse to fine nodes along one axis."""
    place = node_positions()[0, :, 0] / COARSE_STEP + 1
    offset = np.abs(place[:, None] - np.arange(COARSE_NODES))
    near = 1.5 * offset**3 - 2.5 * offset**2 + 1
    far = -0.5 * offset**3 + 2.5 * offset**2 - 4 * offset + 2
    return np.where(offset < 1, near, np.where(offset < 2, far, 0)).astype(np.float32)


def refine(coarse: Array) -> Array:
    """Coarse planes (..., COARSE_NODES, COARSE_NODES) cubically as (..., NODES, NODES)."""
    weights = _refinement()
    return np.asarray(weights @ coarse @ weights.T, np.float32)


def nodes_to_pixels(values: Array) -> Array:
    """Lattice values (h, w, C), bordered by one node, as pixels (4h - 8, 4w - 8, C)."""
    h, w = values.shape[:2]
    return resize(values, w * STEP, h * STEP)[STEP:-STEP, STEP:-STEP]
