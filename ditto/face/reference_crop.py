"""The released networks' crops: an upright square around 203, 106 or 478 landmarks.

All arithmetic is float32, as in the released code: its matrices carry about 2e-4 pixels of noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.errors import FaceError, InvalidInputError

Array = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class CropOptions:
    """Which square around the landmarks."""

    size: int
    """Side of the crop, in pixels."""
    scale: float
    """Side of the square over the longer side of the landmarks' upright box."""
    shift_x: float = 0.0
    """Shift of the centre along the face's right axis, in sides of the square. The released code
    takes this setting and ignores it; here it works, with the default of no shift."""
    shift_y: float = 0.0
    """The same along the face's down axis; negative leaves room for hair."""
    rotate: bool = True
    """Turn the face upright."""


TRACKING_CROP = CropOptions(224, 1.5, shift_y=-0.1)
"""Input of the 203-point network."""
PORTRAIT_CROP = CropOptions(512, 2.3, shift_y=-0.125)
"""Input of the eye landmarks and, shrunk to 256, of the appearance and motion extractors."""

_EYES = {203: ((0, 6, 12, 18), (24, 30, 36, 42)), 106: ((33, 35, 40, 39), (87, 89, 94, 93))}
_LIPS = {203: (48, 66), 106: (52, 61)}


@dataclass(frozen=True)
class FaceSquare:
    """A square on the image: centre (2,), side, and the face's tilt, pixels and radians."""

    centre: Array
    side: np.float32
    angle: np.float32


@dataclass(frozen=True)
class CropTransform:
    """Similarities (3, 3) between image and crop pixels."""

    to_crop: Array
    to_image: Array


def face_axis(points: Array) -> Array:
    """(2, 2) mean of the eyes' centres, and middle of the lips, of landmarks (N, 2)."""
    if len(points) not in _EYES:
        raise InvalidInputError("points", f"{len(points)} landmarks; known are {sorted(_EYES)}")
    eyes = [points[list(eye)].mean(axis=0) for eye in _EYES[len(points)]]
    lips = points[list(_LIPS[len(points)])].mean(axis=0)
    return np.stack([(eyes[0] + eyes[1]) / 2, lips]).astype(np.float32)


def face_square(points: Array, options: CropOptions) -> FaceSquare:
    """The square around landmarks (N, 2)."""
    points = points.astype(np.float32)
    top, bottom = face_axis(points)
    length = np.linalg.norm(bottom - top)
    if length <= 1e-3:
        raise FaceError("eyes and lips coincide: the landmarks describe no face")
    down = (bottom - top) / length
    right = np.array([down[1], -down[0]], np.float32)
    mean = points.mean(axis=0)
    upright = (points - mean) @ np.stack([right, down]).T
    low, high = upright.min(axis=0), upright.max(axis=0)
    side = np.float32((high - low).max() * options.scale)
    middle = (low + high) / 2 + side * np.array([options.shift_x, options.shift_y], np.float32)
    centre = mean + right * middle[0] + down * middle[1]
    return FaceSquare(centre, side, np.arctan2(right[1], right[0]))


def crop_transform(points: Array, options: CropOptions) -> CropTransform:
    """The similarity that brings landmarks (N, 2) into the crop, and its inverse."""
    square = face_square(points, options)
    zoom = np.float32(options.size) / square.side
    angle = square.angle if options.rotate else np.float32(0)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]], np.float32)
    to_crop = np.eye(3, dtype=np.float32)
    to_crop[:2, :2] = linear
    to_crop[:2, 2] = np.float32(options.size) / 2 - linear @ square.centre
    return CropTransform(to_crop, np.linalg.inv(to_crop))


def transform_points(points: Array, matrix: Array) -> Array:
    """Points (N, 2) under a similarity (3, 3)."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2], np.float32)


def crop_image(image: Image, transform: CropTransform, size: int) -> Image:
    """The crop (size, size, 3), bilinear, black outside the image."""
    cropped = cv2.warpAffine(image, transform.to_crop[:2], (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(cropped, np.uint8)


def extractor_input(crop: Image) -> Array:
    """A 512 crop as the extractors' input (1, 3, 256, 256), RGB in 0..1."""
    small = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None].astype(np.float32) / 255)
