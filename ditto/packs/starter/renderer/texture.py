"""The sampling texture: the HEAD crop at twice the view's size, and how its pixels lie."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import sample
from ditto.packs.starter.renderer.grid import HEAD_SIZE, STEP, node_positions

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

SCALE: Final = 2
"""Texture pixels a HEAD pixel: where the source has the detail, sampling keeps it."""
TEXTURE_SIZE: Final = SCALE * HEAD_SIZE
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def to_texture(head_xy: Array) -> Array:
    """HEAD pixel coordinates as texture pixel coordinates (centres on integers in both)."""
    return np.asarray(head_xy * SCALE + (SCALE - 1) / 2, np.float32)


def texture_grid(box: tuple[int, int, int, int]) -> Array:
    """(h, w, 2) HEAD coordinates of the texture pixels in a box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1)
    return np.asarray((grid - (SCALE - 1) / 2) / SCALE, np.float32)


def texture_box(low: Array, high: Array) -> tuple[int, int, int, int]:
    """Texture box (x0, y0, x1, y1) around HEAD corners, cut at the texture's border."""
    x0, y0 = np.clip(np.floor(to_texture(low)), 0, TEXTURE_SIZE - 8).astype(int)
    x1, y1 = np.clip(np.ceil(to_texture(high)) + 1, 8, TEXTURE_SIZE).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def polygon_mask(outline: Array, box: tuple[int, int, int, int]) -> Image:
    """(h, w) anti-aliased 0..255 inside a HEAD outline (N, 2), on the texture pixels of a box."""
    x0, y0, x1, y1 = box
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    corners = np.round((to_texture(outline) - [x0, y0]) * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
    return mask


def texture_places(steps: Array, window: tuple[int, int, int, int]) -> Array:
    """(h, w, 2) texture coordinates so many nodes ``steps`` (h, w, 2) from a window's nodes."""
    x0, y0, x1, y1 = window
    return steps * np.float32(STEP * SCALE) + _node_places()[y0:y1, x0:x1]


@cache
def _node_places() -> Array:
    places = to_texture(node_positions())
    places.flags.writeable = False
    return places


def premultiplied(rgba: Image) -> Image:
    """Colour times opacity, and what shines through: laying it over a picture is one product."""
    opacity = cv2.extractChannel(rgba, 3)
    spread = cv2.cvtColor(opacity, cv2.COLOR_GRAY2RGBA)
    multiplied = np.asarray(cv2.multiply(rgba, spread, scale=1 / 255), np.uint8)
    cv2.insertChannel(cv2.bitwise_not(opacity), multiplied, 3)
    return multiplied


def drawn_over(view: Image, layer: Image) -> None:
    """Lay a `premultiplied` layer (h, w, 4) on a picture (h, w, 3) (in place)."""
    shining = cv2.cvtColor(cv2.extractChannel(layer, 3), cv2.COLOR_GRAY2RGB)
    cv2.multiply(view, shining, view, 1 / 255)
    cv2.add(view, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), view)


def shifted(places: Array, by: Array) -> Array:
    """Places (h, w, 2) moved by x, y."""
    x, y = by.tolist()
    return np.asarray(cv2.add(places, (x, y, 0, 0)), np.float32)  # type: ignore[call-overload]


def sample_rgba(texture: Image, place: Array) -> tuple[Image, Array]:
    """Colour (h, w, 3) and opacity 0..1 (h, w) of an RGBA texture at places (h, w, 2)."""
    rgba = sample(texture, place)
    opacity = cv2.extractChannel(rgba, 3).astype(np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8), opacity
