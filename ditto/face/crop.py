"""The HEAD crop: an upright square around the head (parameters of the paper's implementation)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.network import Array
from ditto.face.sampling import blend, blur, resize
from ditto.face.topology import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LEFT_MOUTH_CORNER,
    LOWER_LIP_OUTER,
    RIGHT_BROW,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
    RIGHT_MOUTH_CORNER,
)

Image = NDArray[np.uint8]

SCALE = 2.3
"""Side of the crop over the longer side of the box around brows, cheeks and chin."""
SHIFT_DOWN = -0.125
"""Shift of the centre along the head's down axis, in crop sides: room for hair."""

_LEVEL_DEGREES = 3.5
"""A head that tilts less than this stays as it is in the picture."""

_EYES = RIGHT_EYE_UPPER + RIGHT_EYE_LOWER + LEFT_EYE_UPPER + LEFT_EYE_LOWER
_OUTLINE = (
    FACE_OVAL[7:30] + RIGHT_BROW + LEFT_BROW + RIGHT_EYE_UPPER + LEFT_EYE_UPPER + LOWER_LIP_OUTER
)


def head_crop(points: Array, size: int) -> Array:
    """(2, 3) similarity from image pixels to the ``size`` x ``size`` HEAD crop of a mesh.

    Its down axis runs from the eyes to the mouth, so that a tilted head comes out upright.
    """
    eyes = points[list(_EYES), :2].mean(0)
    mouth = points[[RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER], :2].mean(0)
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    turn = np.array([[down[1], -down[0]], [down[0], down[1]]])  # rows: right, down
    upright = points[list(_OUTLINE), :2] @ turn.T
    low, high = upright.min(0), upright.max(0)
    side = float((high - low).max()) * SCALE
    centre = (low + high) / 2 + [0, SHIFT_DOWN * side]
    zoom = size / side
    return np.asarray(np.c_[zoom * turn, size / 2 - zoom * centre], np.float32)


def levelled(crop: Array, size: int) -> Array:
    """A HEAD crop of whole image pixels, without its turn where that is small.

    Pasting such a crop back is a resize instead of a warp, at a fifth of the time.
    """
    zoom = float(np.hypot(crop[0, 0], crop[0, 1]))
    if abs(np.degrees(np.arctan2(crop[0, 1], crop[0, 0]))) > _LEVEL_DEGREES:
        return crop
    middle = inverse(crop) @ [size / 2 - 0.5, size / 2 - 0.5, 1]
    side = max(1, round(size / zoom))
    corner = np.round(middle - (side - 1) / 2)
    return placement_of(corner, side, size)


def placement_of(corner: NDArray[np.floating], side: int, size: int) -> Array:
    """(2, 3) from image pixels to a crop whose ``size`` pixels are ``side`` of the image's."""
    zoom = size / side
    return np.asarray(np.c_[zoom * np.eye(2), zoom * (0.5 - corner) - 0.5], np.float32)


def inverse(transform: Array) -> Array:
    """The (2, 3) similarity back."""
    return np.asarray(cv2.invertAffineTransform(transform), np.float32)


def transform_points(transform: Array, points: Array) -> Array:
    """Mesh points (N, 3) under a similarity; depth is scaled alike."""
    zoom = float(np.hypot(transform[0, 0], transform[0, 1]))
    flat = points[:, :2] @ transform[:, :2].T + transform[:, 2]
    return np.asarray(np.c_[flat, points[:, 2] * zoom], np.float32)


def crop_image(image: Image, transform: Array, size: int) -> Image:
    """The crop of an image. Shrinks by averaging first, so that fine texture does not flicker.

    What lies outside the image continues its border, blurred.
    """
    zoom = float(np.hypot(transform[0, 0], transform[0, 1]))
    if zoom < 0.7:
        height, width = (max(1, round(side * zoom)) for side in image.shape[:2])
        shrink = np.array([width / image.shape[1], height / image.shape[0]])
        image = resize(image, width, height, cv2.INTER_AREA)
        # pixel centres: x' = shrink (x + 1/2) - 1/2
        offset = transform[:, 2] + transform[:, :2] @ (0.5 / shrink - 0.5)
        transform = np.asarray(np.c_[transform[:, :2] / shrink, offset], np.float32)
    crop = cv2.warpAffine(
        image, transform, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return _soften_outside(np.asarray(crop, np.uint8), transform, image.shape[:2])


def _soften_outside(crop: Image, transform: Array, shape: tuple[int, ...]) -> Image:
    """Blurs what repeats the image's border, ever more with distance: streaks become a haze."""
    size = crop.shape[0]
    back = inverse(transform)
    axis = np.arange(0, size, 8, dtype=np.float32)
    place = np.stack(np.meshgrid(axis, axis), axis=-1) @ back[:, :2].T + back[:, 2]
    beyond = np.maximum(-place, place - [shape[1] - 1, shape[0] - 1]).max(-1)
    if beyond.max() <= 1:
        return crop
    zoom = float(np.hypot(transform[0, 0], transform[0, 1]))
    share = np.clip(beyond * zoom / (0.12 * size), 0, 1)
    small = resize(crop, size // 8, size // 8, cv2.INTER_AREA)
    haze = resize(blur(small, 6), size, size)
    return blend(crop, haze, resize(share.astype(np.float32), size, size))
