"""Draws the mouth of a frame: two lips that move on their own, and what shows between them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import blend
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.fields import FIELD
from ditto.packs.starter.renderer.grid import NODES, STEP, nodes_to_pixels
from ditto.packs.starter.renderer.pose import HeadPose
from ditto.packs.starter.renderer.texture import SCALE, sample_rgba, to_texture
from ditto.packs.starter.renderer.warp import Lattice, Window, cut_lattice, window_pixels

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_MARGIN_NODES = 18
"""Room around the resting mouth for the head's turns and the dropped jaw."""
_FEATHER_PX = 6
_LOWER_TEETH_FOLLOW_JAW = 0.92
_BITES = (0.5, 0.9)
"""Roll of the lower lip from which the upper teeth show on it, and at which they do in full."""


@dataclass(frozen=True)
class MouthLayers:
    """Textures on the mouth's texture box, whose corner is ``origin`` (2,)."""

    origin: Array
    upper_lip: Image
    """(h, w, 4) the picture, opaque down to the upper lip's inner edge."""
    lower_lip: Image
    """(h, w, 4) the picture, opaque from the lower lip's inner edge on."""
    teeth: Image
    """(h, w, 4)"""
    tongue: Image
    """(h, w, 4) with the lower teeth."""
    cavity: Image
    """(h, w, 4), opacity: where the upper teeth may bite on the lower lip."""
    millimetre: Array
    """(2,) one head millimetre downwards, in texture pixels."""
    lip_shadow: float
    """How much the upper lip darkens what is behind it."""


class Mouth:
    """Everything of one portrait's mouth; drawing never changes it."""

    def __init__(
        self, layers: MouthLayers, fields: tuple[Array, Array], weight: Array, depth: Array,
        outline: Array, jaw_drop: Array,
    ) -> None:  # fmt: skip
        """fields: refined, of the upper and the lower branch; weight, depth (NODES, NODES);
        outline (22, 3): the lips' outer rows, upper first, x, y, depth; jaw_drop (2,): pixels that
        the lower lip moves at jawOpen 1."""
        self._layers = layers
        self._outline = outline
        self._jaw_drop = jaw_drop
        window = _window_around(outline)
        self._upper = cut_lattice(fields[0], weight, depth, window)
        self._lower = cut_lattice(fields[1], weight, depth, window)
        nodes = np.clip(np.round((outline[:, :2] - 1.5) / STEP + 1).astype(int), 0, NODES - 1)
        rows = [fields[k // 11][:, :, y, x] for k, (x, y) in enumerate(nodes)]
        self._outline_fields = np.stack(rows, axis=1)  # F 22 2

    def draw(self, frame: Image, amounts: Array, pose: HeadPose) -> None:
        """Draw into ``frame`` (S, S, 3), whose face has been warped already."""
        window = self._moved_window(amounts, pose)
        rigid = np.zeros_like(amounts)
        upper = self._sample_map(self._upper, amounts, pose, window)
        lower = self._sample_map(self._lower, amounts, pose, window)
        head = self._sample_map(self._upper, rigid, pose, window)
        drawn = self._composite(upper, lower, head, amounts)
        x0, y0, x1, y1 = window_pixels(window)
        view = frame[y0:y1, x0:x1]
        weight = _feather(view.shape[:2])
        view[:] = blend(view, drawn, weight)

    def _moved_window(self, amounts: Array, pose: HeadPose) -> Window:
        """Lattice window around the lips of this frame."""
        moved = self._outline[:, :2] + np.tensordot(amounts, self._outline_fields, 1)
        moved = moved + np.c_[moved, self._outline[:, 2]] @ pose.turn.T + pose.shift
        low = (moved.min(0) - 7) / STEP
        high = (moved.max(0) + 7) / STEP + 3
        wx0, wy0, wx1, wy1 = self._upper.window
        x0, y0 = (int(v) for v in np.clip(np.floor(low), (wx0, wy0), (wx1 - 8, wy1 - 8)))
        x1, y1 = (int(v) for v in np.clip(np.ceil(high), (x0 + 8, y0 + 8), (wx1, wy1)))
        return x0, y0, x1, y1

    def _sample_map(
        self, lattice: Lattice, amounts: Array, pose: HeadPose, window: Window
    ) -> Array:
        wx0, wy0, _, _ = lattice.window
        x0, y0, x1, y1 = window
        nodes = lattice.backward(amounts, pose)[y0 - wy0 : y1 - wy0, x0 - wx0 : x1 - wx0]
        return nodes_to_pixels(to_texture(nodes) - self._layers.origin)

    def _composite(self, upper: Array, lower: Array, head: Array, amounts: Array) -> Image:
        layers = self._layers
        upper_rgb, upper_alpha = sample_rgba(layers.upper_lip, upper)
        lower_rgb, lower_alpha = sample_rgba(layers.lower_lip, lower)
        if float(((1 - upper_alpha) * (1 - lower_alpha)).max()) < 0.03:
            return blend(lower_rgb, upper_rgb, upper_alpha)
        inside, teeth, bite = self._interior(head, upper_alpha, amounts)
        drawn = blend(inside, lower_rgb, lower_alpha)
        roll = float(amounts[FIELD["roll"]])
        if roll > _BITES[0]:
            drawn = blend(drawn, teeth, bite * smoothstep(*_BITES, roll))
        return blend(drawn, upper_rgb, upper_alpha)

    def _interior(
        self, head: Array, upper_alpha: Array, amounts: Array
    ) -> tuple[Image, Image, Array]:
        """All behind the lips, in the upper lip's shadow; the teeth alone; where they bite."""
        layers = self._layers
        pucker, funnel = float(amounts[FIELD["pucker"]]), float(amounts[FIELD["funnel"]])
        rounded = min(1.0, pucker + 0.6 * funnel)
        jaw = amounts[FIELD["jaw"]] * _LOWER_TEETH_FOLLOW_JAW * SCALE * self._jaw_drop
        cavity, bite = sample_rgba(layers.cavity, head)
        lowered = head - jaw - 4 * rounded * layers.millimetre
        tongue, tongue_alpha = sample_rgba(layers.tongue, lowered)
        raised = head + (3 * pucker + 1.5 * funnel) * layers.millimetre
        teeth, teeth_alpha = sample_rgba(layers.teeth, raised)
        reach = max(3, int(0.08 * upper_alpha.shape[1])) | 1
        light = (1 - layers.lip_shadow * cv2.blur(upper_alpha, (reach, reach))).astype(np.float32)
        teeth = _dim(teeth, light * np.float32(1 - 0.15 * rounded))
        # Protruding lips shade the depth of the mouth more than the teeth.
        deep = _dim(blend(cavity, tongue, tongue_alpha), light * np.float32(1 - 0.5 * rounded))
        return blend(deep, teeth, teeth_alpha), teeth, teeth_alpha * bite


def _window_around(outline: Array) -> Window:
    low = np.floor(outline[:, :2].min(0) / STEP).astype(int) - _MARGIN_NODES
    high = np.ceil(outline[:, :2].max(0) / STEP).astype(int) + _MARGIN_NODES
    x0, y0 = np.clip(low, 0, NODES - 20)
    x1, y1 = np.clip(high, 20, NODES)
    return int(x0), int(y0), int(x1), int(y1)


def _dim(rgb: Image, light: Array) -> Image:
    return blend(np.zeros_like(rgb), rgb, light)


def _feather(shape: tuple[int, int]) -> Array:
    """(h, w): 0 at the border, 1 from `_FEATHER_PX` inwards."""
    ramps = [
        np.clip(np.minimum(np.arange(n), n - 1 - np.arange(n)) / _FEATHER_PX, 0, 1) for n in shape
    ]
    return np.minimum.outer(*ramps).astype(np.float32)
