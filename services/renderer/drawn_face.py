"""A drawn face, good enough for a face detector: what the renderer warms up with."""

from __future__ import annotations

import cv2
import numpy as np

from ditto.stages import Image

SIDE_PX = 512
_BACKGROUND, _HAIR, _SKIN, _SHADE = (150, 160, 170), (60, 45, 35), (225, 180, 150), (190, 140, 112)
_WHITE, _IRIS, _PUPIL, _LIP = (240, 238, 235), (90, 65, 45), (20, 15, 12), (180, 90, 85)


def draw_face() -> Image:
    """A frontal face with closed lips, RGB (512, 512, 3)."""
    image = np.full((SIDE_PX, SIDE_PX, 3), _BACKGROUND, np.uint8)
    _ellipse(image, (256, 230), (135, 165), _HAIR)
    _ellipse(image, (256, 430), (70, 110), _SHADE)
    _ellipse(image, (256, 265), (112, 148), _SKIN)
    for side in (-1, 1):
        _draw_eye(image, 256 + 46 * side)
    _ellipse(image, (256, 292), (12, 34), _SHADE)
    _ellipse(image, (256, 302), (22, 9), _SHADE)
    _ellipse(image, (256, 348), (40, 13), _LIP)
    cv2.line(image, (218, 347), (294, 347), _PUPIL, 2)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2.5), np.uint8)


def _draw_eye(image: Image, x: int) -> None:
    _ellipse(image, (x, 240), (24, 11), _WHITE)
    _ellipse(image, (x, 240), (11, 11), _IRIS)
    _ellipse(image, (x, 240), (5, 5), _PUPIL)
    cv2.ellipse(image, (x, 240), (25, 12), 0, 180, 360, _PUPIL, 3)
    cv2.ellipse(image, (x, 222), (30, 10), 0, 190, 350, _HAIR, 6)


def _ellipse(
    image: Image, centre: tuple[int, int], axes: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    cv2.ellipse(image, centre, axes, 0, 0, 360, colour, cv2.FILLED)
