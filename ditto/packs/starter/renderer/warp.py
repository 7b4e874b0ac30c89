"""Field amounts and head pose to a backward map: where each pixel of a frame comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import sample
from ditto.packs.starter.renderer.grid import STEP, node_positions
from ditto.packs.starter.renderer.pose import HeadPose

Array = NDArray[np.float32]
Window = tuple[int, int, int, int]
"""Nodes x0, y0, x1, y1 of the lattice, end excluded."""

_INVERSION_STEPS = 4


@dataclass(frozen=True)
class Lattice:
    """A window of the lattice with what displaces it."""

    window: Window
    fields: Array
    """(F, 2 * h * w) displacement x, then y, in HEAD pixels at amount 1."""
    positions: Array
    """(h, w, 2) HEAD pixels."""
    weight: Array
    """(h, w) how much a node follows the head."""
    depth: Array
    """(h, w) behind the pivot, HEAD pixels."""

    def backward(self, amounts: Array, pose: HeadPose) -> Array:
        """(h, w, 2) HEAD position that each node of the frame shows."""
        h, w = self.weight.shape
        planes = (amounts @ self.fields).reshape(2, h, w)
        expression = np.asarray(cv2.merge(list(planes)), np.float32)
        displaced = self._forward(expression, pose)
        return self._invert(displaced) + self.positions

    def _forward(self, expression: Array, pose: HeadPose) -> Array:
        if not pose.moves:
            return expression
        affine = np.c_[pose.turn[:, :2], pose.shift]
        rigid = np.asarray(cv2.transform(self.positions + expression, affine), np.float32)
        rigid += self.depth[..., None] * pose.turn[:, 2]
        rigid *= self.weight[..., None]
        return rigid + expression

    def _invert(self, displacement: Array) -> Array:
        """v with v(x) = -D(x + v), by fixed-point iteration (four steps: 59 dB against 25)."""
        h, w = displacement.shape[:2]
        origin = _indices(h, w)
        back = -displacement
        for _ in range(_INVERSION_STEPS):
            back = -sample(displacement, back / np.float32(STEP) + origin)
        return back


@lru_cache(maxsize=64)
def _indices(h: int, w: int) -> Array:
    """(h, w, 2) x, y of each node in its window, read-only."""
    indices = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32)
    indices.flags.writeable = False
    return indices


def cut_lattice(fields: Array, weight: Array, depth: Array, window: Window) -> Lattice:
    """A window of fields (F, 2, NODES, NODES), head weight and depth (NODES, NODES)."""
    x0, y0, x1, y1 = window
    area = np.s_[y0:y1, x0:x1]
    return Lattice(
        window=window,
        fields=np.ascontiguousarray(fields[..., y0:y1, x0:x1]).reshape(len(fields), -1),
        positions=np.ascontiguousarray(node_positions()[area]),
        weight=np.ascontiguousarray(weight[area]),
        depth=np.ascontiguousarray(depth[area]),
    )


def window_pixels(window: Window) -> tuple[int, int, int, int]:
    """HEAD pixels x0, y0, x1, y1 that `nodes_to_pixels` of a window's nodes covers."""
    x0, y0, x1, y1 = window
    return x0 * STEP, y0 * STEP, (x1 - 2) * STEP, (y1 - 2) * STEP
