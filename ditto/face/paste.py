"""Paste-back: a rendered HEAD view into its portrait, touching only the box where things move."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.crop import inverse
from ditto.face.network import Array

Image = NDArray[np.uint8]

_FEATHER_PX = 14
"""Width of the blend at the box's border. What it joins is the same picture, sampled twice."""


@dataclass(frozen=True)
class PasteRegion:
    """Where a HEAD view of one portrait goes."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 in portrait pixels."""
    places: NDArray[np.int16]
    fractions: NDArray[np.uint16]
    """Fixed-point backward map of the box into the (shrunk) HEAD view."""
    mask: Array
    """(h, w) 0..1, weight of the HEAD view."""
    core: tuple[int, int, int, int]
    """x0, y0, x1, y1 within the box: the mask is 1 there."""
    shrink_to: int
    """Side that the HEAD view is averaged down to first; its own side where it is not."""


def plan_paste(
    crop: Array, head_size: int, moving: tuple[float, float, float, float], shape: tuple[int, int]
) -> PasteRegion:
    """The region of a portrait (H, W) that a HEAD ``crop`` (2, 3) shows.

    moving: x0, y0, x1, y1 in HEAD pixels of all that ever moves.
    """
    zoom = float(np.hypot(crop[0, 0], crop[0, 1]))
    shrink_to = round(head_size / zoom) if zoom > 1.3 else head_size
    x0, y0, x1, y1 = _box_in_portrait(crop, moving, shape, margin=_FEATHER_PX)
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1)
    head_xy = grid @ crop[:, :2].T + crop[:, 2]
    mask = _feather(head_xy, head_size, zoom, (x0, y0, x1, y1), shape)
    shrink = shrink_to / head_size
    source = ((head_xy + 0.5) * shrink - 0.5).astype(np.float32)
    places, fractions = cv2.convertMaps(source, None, cv2.CV_16SC2)
    h, w = mask.shape
    edge = _FEATHER_PX + 1
    core = (
        0 if x0 == 0 else edge,
        0 if y0 == 0 else edge,
        w if x1 == shape[1] else w - edge,
        h if y1 == shape[0] else h - edge,
    )
    if mask[core[1] : core[3], core[0] : core[2]].min(initial=1.0) < 1:
        core = (0, 0, 0, 0)  # a tilted crop: its own border cuts the box
    return PasteRegion((x0, y0, x1, y1), places, fractions, mask, core, shrink_to)


def _box_in_portrait(
    crop: Array, moving: tuple[float, float, float, float], shape: tuple[int, int], margin: int
) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = moving
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    back = inverse(crop)
    placed = corners @ back[:, :2].T + back[:, 2]
    low = np.floor(placed.min(0)).astype(int) - margin
    high = np.ceil(placed.max(0)).astype(int) + margin
    return (
        int(np.clip(low[0], 0, shape[1] - 1)),
        int(np.clip(low[1], 0, shape[0] - 1)),
        int(np.clip(high[0], 1, shape[1])),
        int(np.clip(high[1], 1, shape[0])),
    )


def _feather(
    head_xy: Array, head_size: int, zoom: float, box: tuple[int, int, int, int],
    shape: tuple[int, int],
) -> Array:  # fmt: skip
    """0 at the box's and the HEAD view's borders, 1 inside; the portrait's own border counts not."""
    x0, y0, x1, y1 = box
    h, w = y1 - y0, x1 - x0
    far = np.float32(4 * _FEATHER_PX)
    columns, rows = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)
    left = columns if x0 > 0 else np.full(w, far)
    right = w - 1 - columns if x1 < shape[1] else np.full(w, far)
    top = rows if y0 > 0 else np.full(h, far)
    bottom = h - 1 - rows if y1 < shape[0] else np.full(h, far)
    to_box = np.minimum(np.minimum(left, right)[None], np.minimum(top, bottom)[:, None])
    to_view = np.minimum(head_xy, head_size - 1 - head_xy).min(-1) / zoom
    ramp = np.clip(np.minimum(to_box, to_view) / _FEATHER_PX, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def paste(portrait: Image, head: Image, region: PasteRegion) -> Image:
    """The portrait (H, W, 3) with a HEAD view (S, S, 3) in it; a new image."""
    if region.shrink_to != head.shape[0]:
        head = cv2.resize(head, (region.shrink_to,) * 2, interpolation=cv2.INTER_AREA)
    out = portrait.copy()
    x0, y0, x1, y1 = region.box
    view = out[y0:y1, x0:x1]
    placed = cv2.remap(
        head, region.places, region.fractions, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    h, w = region.mask.shape
    cx0, cy0, cx1, cy1 = region.core
    view[cy0:cy1, cx0:cx1] = placed[cy0:cy1, cx0:cx1]
    strips = (
        (slice(0, cy0), slice(0, w)),
        (slice(cy1, h), slice(0, w)),
        (slice(cy0, cy1), slice(0, cx0)),
        (slice(cy0, cy1), slice(cx1, w)),
    )
    for strip in strips:
        weight = np.ascontiguousarray(region.mask[strip])
        if weight.size:
            view[strip] = cv2.blendLinear(
                np.ascontiguousarray(placed[strip]), np.ascontiguousarray(view[strip]),
                weight, 1 - weight,
            )  # fmt: skip
    return out
