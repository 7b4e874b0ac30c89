"""Paste-back of the released layout: a soft-edged 512 render into the whole frame (paper 3.3.3).

The mask is warped once per portrait and only the face's box of a frame is touched; the released
code warps and blends the full frame every time, with the same result to one grey level.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

RENDER_SIZE = 512
_RAMP = 26
"""Pixels over which the mask rises from 0 to 1."""


def blend_mask(size: int = RENDER_SIZE, ramp: int = _RAMP) -> Array:
    """(size, size) 1 inside, falling linearly to 0 at the edges and radially at the corners."""
    position = np.arange(size, dtype=np.float32)
    inward = np.minimum(position, size - 1 - position)
    outside = np.clip(1 - inward / (ramp - 1), 0, None)
    distance = np.hypot(outside[:, None], outside[None, :])
    return np.asarray(1 - np.clip(distance, 0, 1), np.float32)


@dataclass(frozen=True)
class PasteRegion:
    """Where in a frame the render goes: everything that stays the same for a portrait."""

    left: int
    top: int
    transform: Array
    """(2, 3) from render pixels to the box."""
    mask: Array
    """(h, w, 3) share of the render in the box, once a channel: broadcasting costs more."""


def paste_region(to_image: Array, height: int, width: int) -> PasteRegion:
    """The box of a (height, width) frame under a crop's ``to_image`` (3, 3), with its mask."""
    last = RENDER_SIZE - 1
    corners = np.array([[0, 0, 1], [last, 0, 1], [0, last, 1], [last, last, 1]], np.float32)
    placed = corners @ to_image[:2].T
    low = np.clip(np.floor(placed.min(axis=0)).astype(int) - 1, 0, (width, height))
    high = np.clip(np.ceil(placed.max(axis=0)).astype(int) + 2, 0, (width, height))
    transform = to_image[:2].astype(np.float32)
    transform[:, 2] -= low
    mask = _warp(blend_mask(), transform, high - low)
    return PasteRegion(int(low[0]), int(low[1]), transform, np.repeat(mask[..., None], 3, axis=2))


def _warp(pixels: Array, transform: Array, size: NDArray[np.int64]) -> Array:
    width, height = int(size[0]), int(size[1])
    if not width or not height:
        return np.zeros((height, width, *pixels.shape[2:]), np.float32)
    return np.asarray(cv2.warpAffine(pixels, transform, (width, height)), np.float32)


def paste_render(frame: Image, render: Array, region: PasteRegion) -> Image:
    """A copy of ``frame`` (H, W, 3) with ``render`` (512, 512, 3), 0..255, blended in.

    Values are truncated to whole grey levels, as in the released code.
    """
    height, width = region.mask.shape[:2]
    rows, columns = slice(region.top, region.top + height), slice(region.left, region.left + width)
    placed = _warp(render, region.transform, np.array([width, height]))
    pasted = frame.copy()
    behind = frame[rows, columns].astype(np.float32)
    pasted[rows, columns] = behind + (placed - behind) * region.mask
    return pasted
