"""Draws the mouth of a frame: two lips that move on their own, and what shows between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import blend
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.fields import FIELD
from ditto.packs.starter.renderer.grid import NODES, STEP, nodes_to_pixels
from ditto.packs.starter.renderer.pose import HeadPose
from ditto.packs.starter.renderer.texture import SCALE, sample_rgba, shifted, texture_places
from ditto.packs.starter.renderer.warp import Window, cut_lattice, source_of, window_pixels

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Span = tuple[slice, slice]

_MARGIN_NODES = 18
"""Room around the resting mouth for the head's turns and the dropped jaw."""
_FEATHER_PX = 6
_BARE = 0.03
"""Share of a pixel between the lips from which the mouth counts as open."""
_LOWER_TEETH_FOLLOW_JAW = 0.92
_LIP_SHADOW = 0.2
"""How much the upper lip darkens what is right behind it."""
_TEETH_DEPTH_MM, _TONGUE_DEPTH_MM = 3.0, 12.0
"""How far behind the lips they lie: light reaches them through the opening alone."""
_BITES = (0.5, 0.9)
"""Roll of the lower lip from which the upper teeth show on it, and at which they do in full."""


@dataclass(frozen=True)
class _Opening:
    """What neither lip covers."""

    span: Span
    """Rows and columns around it, in the window."""
    height_px: Array
    """(w,) of each of the window's columns."""


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
    lit_gap_mm: float
    """Gap through which the portrait's light fell on its own teeth; 0 where they are painted."""


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
        self._pixels_per_mm = float(np.linalg.norm(layers.millimetre)) / SCALE
        window = _window_around(outline)
        self._upper = cut_lattice(fields[0], weight, depth, window)
        self._lower = cut_lattice(fields[1], weight, depth, window)
        nodes = np.clip(np.round((outline[:, :2] - 1.5) / STEP + 1).astype(int), 0, NODES - 1)
        rows = [fields[k // 11][:, :, y, x] for k, (x, y) in enumerate(nodes)]
        self._outline_fields = np.concatenate(rows, axis=1)  # F 44

    def draw(self, frame: Image, amounts: Array, pose: HeadPose) -> None:
        """Draw into ``frame`` (S, S, 3), whose face has been warped already."""
        window = self._moved_window(amounts, pose)
        upper = self._places(self._upper.displaced(amounts, pose), window)
        lower = self._places(self._lower.displaced(amounts, pose), window)
        upper_rgb, upper_alpha = sample_rgba(self._layers.upper_lip, upper)
        drawn, lower_alpha = sample_rgba(self._layers.lower_lip, lower)
        opening = _find_opening(upper_alpha, lower_alpha)
        if opening is not None:
            head = self._places(self._upper.turned(pose), window)
            self._fill(drawn, opening, head, (upper_alpha, lower_alpha), amounts)
        drawn = blend(drawn, upper_rgb, upper_alpha)
        x0, y0, x1, y1 = window_pixels(window)
        view = frame[y0:y1, x0:x1]
        view[:] = blend(view, drawn, _feather(*view.shape[:2]))

    def _moved_window(self, amounts: Array, pose: HeadPose) -> Window:
        """Lattice window around the lips of this frame."""
        moved = self._outline[:, :2] + (amounts @ self._outline_fields).reshape(-1, 2)
        turned = moved @ pose.turn[:, :2].T + self._outline[:, 2:] * pose.turn[:, 2]
        moved = moved + turned + pose.shift
        left, top = np.floor((moved.min(0) - 7) / STEP).astype(int).tolist()
        right, bottom = (np.ceil((moved.max(0) + 7) / STEP).astype(int) + 3).tolist()
        wx0, wy0, wx1, wy1 = self._upper.window
        x0, y0 = min(max(left, wx0), wx1 - 8), min(max(top, wy0), wy1 - 8)
        return x0, y0, min(max(right, x0 + 8), wx1), min(max(bottom, y0 + 8), wy1)

    def _places(self, displacement: Array, window: Window) -> Array:
        """(h, w, 2) what each pixel of ``window`` shows, on the layers' box."""
        steps = source_of(displacement, self._upper.window, window)
        return nodes_to_pixels(shifted(texture_places(steps, window), -self._layers.origin))

    def _fill(
        self, drawn: Image, opening: _Opening, head: Array, alphas: tuple[Array, Array],
        amounts: Array,
    ) -> None:  # fmt: skip
        """Draw what shows through the opening on the lower lip, whose picture is ``drawn``."""
        upper_alpha, lower_alpha = alphas
        bites = float(smoothstep(*_BITES, amounts[FIELD["roll"]]))
        hole = np.s_[:, :] if bites > 0 else opening.span  # the teeth show outside it too
        gap_mm = opening.height_px[hole[1]] / self._pixels_per_mm
        shade = 1 - _LIP_SHADOW * _spread(upper_alpha)[hole]
        teeth_light = shade * np.maximum(self._light(gap_mm, _TEETH_DEPTH_MM), bites)
        deep_light = shade * self._light(gap_mm, _TONGUE_DEPTH_MM)
        inside, teeth, bite = self._interior(head[hole], (teeth_light, deep_light), amounts)
        view = drawn[hole]
        view[:] = blend(inside, view, lower_alpha[hole])
        if bites > 0:
            view[:] = blend(view, teeth, bite * np.float32(bites))

    def _light(self, gap_mm: Array, depth_mm: float) -> Array:
        """Share of the light, over that of the portrait, so far behind a gap."""
        own = self._layers.lit_gap_mm
        full = own / np.hypot(own, depth_mm) if own > 0 else 1.0
        return np.minimum(gap_mm / np.hypot(gap_mm, depth_mm) / np.float32(full), 1)

    def _interior(
        self, head: Array, lights: tuple[Array, Array], amounts: Array
    ) -> tuple[Image, Image, Array]:
        """All behind the lips, under the light on the teeth and behind them; the teeth alone; where
        they bite."""
        layers = self._layers
        teeth_light, deep_light = lights
        pucker, funnel = float(amounts[FIELD["pucker"]]), float(amounts[FIELD["funnel"]])
        rounded = min(1.0, pucker + 0.6 * funnel)
        jaw = amounts[FIELD["jaw"]] * _LOWER_TEETH_FOLLOW_JAW * SCALE * self._jaw_drop
        cavity, bite = sample_rgba(layers.cavity, head)
        lowered = shifted(head, -jaw - 4 * rounded * layers.millimetre)
        tongue, tongue_alpha = sample_rgba(layers.tongue, lowered)
        raised = shifted(head, (3 * pucker + 1.5 * funnel) * layers.millimetre)
        teeth, teeth_alpha = sample_rgba(layers.teeth, raised)
        # What light is left in the mouth is the flesh's.
        teeth = blend(cavity, teeth, teeth_light * np.float32(1 - 0.15 * rounded))
        # Protruding lips shade the depth of the mouth more than the teeth.
        tongue = blend(cavity, tongue, tongue_alpha)
        deep = blend(np.zeros_like(tongue), tongue, deep_light * np.float32(1 - 0.5 * rounded))
        return blend(deep, teeth, teeth_alpha), teeth, teeth_alpha * bite


def _find_opening(upper_alpha: Array, lower_alpha: Array) -> _Opening | None:
    """What the lips leave open, or None when that is nothing to see."""
    bare = (1 - upper_alpha) * (1 - lower_alpha)
    if float(bare.max()) < _BARE:
        return None
    x, y, w, h = cv2.boundingRect((bare > 0).view(np.uint8))
    height_px = cv2.blur(bare.sum(0, keepdims=True), (9, 1))[0]
    return _Opening((slice(y, y + h), slice(x, x + w)), np.asarray(height_px, np.float32))


def _spread(alpha: Array) -> Array:
    """The mean around each pixel."""
    reach = max(3, int(0.08 * alpha.shape[1])) | 1
    return np.asarray(cv2.blur(alpha, (reach, reach)), np.float32)


def _window_around(outline: Array) -> Window:
    low = np.floor(outline[:, :2].min(0) / STEP).astype(int) - _MARGIN_NODES
    high = np.ceil(outline[:, :2].max(0) / STEP).astype(int) + _MARGIN_NODES
    x0, y0 = np.clip(low, 0, NODES - 20)
    x1, y1 = np.clip(high, 20, NODES)
    return int(x0), int(y0), int(x1), int(y1)


@lru_cache(maxsize=128)
def _feather(h: int, w: int) -> Array:
    """(h, w): 0 at the border, 1 from `_FEATHER_PX` inwards; read-only."""
    ramps = [
        np.clip(np.minimum(np.arange(n), n - 1 - np.arange(n)) / _FEATHER_PX, 0, 1) for n in (h, w)
    ]
    weight = np.minimum.outer(*ramps).astype(np.float32)
    weight.flags.writeable = False
    return weight
