"""Paste-back: a rendered HEAD view into its portrait, touching only the box where things move."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.crop import inverse, placement_of
from ditto.face.network import Array
from ditto.face.sampling import blend, resize

Image = NDArray[np.uint8]

_FEATHER_PX = 14
"""Width of the blend at the box's border. What it joins is the same picture, sampled twice."""
_STILL_HEAD_PX = 20
"""The blend also stays within this many HEAD pixels of the view's border, where nothing moves."""
_MAX_SKIP = 1.6
"""HEAD pixels a portrait pixel that bilinear sampling may step over."""


@dataclass(frozen=True)
class PasteRegion:
    """Where a HEAD view of one portrait goes."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 in portrait pixels."""
    placement: Array
    """(2, 3) from the box's pixels to those of the (shrunk) HEAD view."""
    mask: Array
    """(h, w) 0..1, weight of the HEAD view."""
    core: tuple[int, int, int, int]
    """x0, y0, x1, y1 within the box: the mask is 1 there, so that nothing need be blended."""
    halvings: int
    """How often the HEAD view is averaged down to half its size first, for small faces."""
    square: tuple[int, int, int] | None
    """x, y, side of the HEAD view in portrait pixels, where it is level and takes whole ones."""


def plan_paste(
    crop: Array, head_size: int, moving: tuple[float, float, float, float], shape: tuple[int, int]
) -> PasteRegion:
    """The region of a portrait (H, W) that a HEAD ``crop`` (2, 3) shows.

    moving: x0, y0, x1, y1 in HEAD pixels of all that ever moves.
    """
    zoom = float(np.hypot(crop[0, 0], crop[0, 1]))
    halvings = max(0, int(np.ceil(np.log2(zoom / _MAX_SKIP))))
    feather = int(np.clip(_STILL_HEAD_PX / zoom, 3, _FEATHER_PX))
    x0, y0, x1, y1 = _box_in_portrait(crop, moving, shape, margin=feather)
    grid = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), axis=-1)
    head_xy = grid @ crop[:, :2].T + crop[:, 2]
    to_view = np.minimum(head_xy, head_size - 1 - head_xy).min(-1) / zoom
    ramp = np.minimum(_to_border((x0, y0, x1, y1), shape), to_view).clip(0, feather) / feather
    mask = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    shrink = 0.5**halvings  # pixel centres: x' = shrink (x + 1/2) - 1/2
    offset = shrink * (head_xy[0, 0] + 0.5) - 0.5
    placement = np.asarray(np.c_[shrink * crop[:, :2], offset], np.float32)
    box = x0, y0, x1, y1
    return PasteRegion(
        box, placement, mask, _full_core(mask), halvings, _square(crop, head_size, box)
    )


def _square(
    crop: Array, head_size: int, box: tuple[int, int, int, int]
) -> tuple[int, int, int] | None:
    """Where a crop that `ditto.face.crop.levelled` made lies; None for others."""
    side = max(1, round(head_size / float(np.hypot(crop[0, 0], crop[0, 1]))))
    x, y = np.round((-0.5 - crop[:, 2]) * side / head_size + 0.5).astype(int).tolist()
    level = placement_of(np.array([x, y], np.float32), side, head_size)
    holds_box = x <= box[0] and y <= box[1] and box[2] <= x + side and box[3] <= y + side
    return (x, y, side) if holds_box and np.allclose(level, crop, atol=1e-4) else None


def _full_core(mask: Array) -> tuple[int, int, int, int]:
    """A large rectangle x0, y0, x1, y1 where the mask is 1: shrunk where its rim misses most."""
    missing = mask < 1
    x0, y0, x1, y1 = 0, 0, mask.shape[1], mask.shape[0]
    while x1 > x0 and y1 > y0 and missing[y0:y1, x0:x1].any():
        rims = (
            missing[y0:y1, x0], missing[y0, x0:x1], missing[y0:y1, x1 - 1], missing[y1 - 1, x0:x1]
        )  # fmt: skip
        worst = int(np.argmax([rim.mean() for rim in rims]))
        x0, y0, x1, y1 = x0 + (worst == 0), y0 + (worst == 1), x1 - (worst == 2), y1 - (worst == 3)
    return x0, y0, x1, y1


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


def _to_border(box: tuple[int, int, int, int], shape: tuple[int, int]) -> Array:
    """(h, w) pixels to the box's nearest border; the portrait's own border does not count."""
    x0, y0, x1, y1 = box
    columns, rows = np.arange(x1 - x0, dtype=np.float32), np.arange(y1 - y0, dtype=np.float32)
    far = np.float32(max(shape))
    left, right = columns + far * (x0 == 0), columns[::-1] + far * (x1 == shape[1])
    top, bottom = rows + far * (y0 == 0), rows[::-1] + far * (y1 == shape[0])
    sideways, upwards = np.minimum(left, right), np.minimum(top, bottom)
    return np.asarray(np.minimum(sideways[None], upwards[:, None]), np.float32)


def paste(portrait: Image, head: Image, region: PasteRegion) -> Image:
    """The portrait (H, W, 3) with a HEAD view (S, S, 3) in it; a new image."""
    out = portrait.copy()
    paste_into(out, portrait, head, region)
    return out


def paste_into(out: Image, portrait: Image, head: Image, region: PasteRegion) -> None:
    """`paste` in place: ``out`` is the portrait, or shows an earlier HEAD view of it."""
    for _ in range(region.halvings):
        head = resize(head, head.shape[1] // 2, head.shape[0] // 2, cv2.INTER_AREA)
    x0, y0, x1, y1 = region.box
    before, after = portrait[y0:y1, x0:x1], out[y0:y1, x0:x1]
    if region.square is not None:
        x, y, side = region.square
        after[:] = resize(head, side, side)[y0 - y : y1 - y, x0 - x : x1 - x]
    else:
        _warp(head, region, after)
    for strip in _strips(region):
        weight = region.mask[strip]
        if weight.size:
            after[strip] = blend(before[strip], after[strip], weight)


def _warp(head: Image, region: PasteRegion, after: Image) -> None:
    placed = cv2.warpAffine(  # of four channels: twice as fast as of three
        cv2.cvtColor(head, cv2.COLOR_RGB2RGBA),
        region.placement,
        after.shape[1::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    cv2.cvtColor(placed, cv2.COLOR_RGBA2RGB, dst=after)


def _strips(region: PasteRegion) -> tuple[tuple[slice, slice], ...]:
    """Rows and columns of the box around its core."""
    h, w = region.mask.shape
    x0, y0, x1, y1 = region.core
    middle = slice(y0, y1)
    return (
        (slice(0, y0), slice(0, w)),
        (slice(y1, h), slice(0, w)),
        (middle, slice(0, x0)),
        (middle, slice(x1, w)),
    )
