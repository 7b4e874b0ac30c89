"""Reading pictures at places between pixels, and laying one over another."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Pixels = TypeVar("Pixels", Array, Image)


def sample(picture: Pixels, places: Array) -> Pixels:
    """(h, w, C) of a picture (H, W, C) at x, y places (h, w, 2), bilinear; its border repeats."""
    map1 = np.asarray(places, np.float32)
    taken = cv2.remap(  # type: ignore[call-overload]
        picture, map1, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(taken, picture.dtype)


def blend(under: Image, over: Image, weight: Array) -> Image:
    """``over`` (h, w, 3) at ``weight`` (h, w) laid on ``under``."""
    weight = np.ascontiguousarray(weight, np.float32)
    under, over = np.ascontiguousarray(under), np.ascontiguousarray(over)
    return np.asarray(cv2.blendLinear(over, under, weight, 1 - weight), np.uint8)


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), picture.dtype)


def resize(picture: Pixels, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Pixels:
    """The picture at another size."""
    sized = cv2.resize(picture, (width, height), interpolation=how)
    return np.asarray(sized, picture.dtype)
