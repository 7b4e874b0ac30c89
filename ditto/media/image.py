"""A portrait's bytes to RGB pixels.

Pillow rather than OpenCV, because it tells the size from the header before anything is decoded, and
handles orientation, palettes, transparency and 16 bits in all three formats.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ditto.errors import InvalidInputError

_FORMATS = ("JPEG", "PNG", "WEBP")
_BACKGROUND = (255, 255, 255, 255)
"""Shown behind transparent pixels: white, as a browser shows them."""
_BAND_ROWS = 256
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation: what makes the picture upright."""
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error)


@dataclass(frozen=True)
class ImageLimits:
    """The largest portrait that is accepted."""

    bytes: int = 24 * 1024 * 1024
    pixels: int = 40_000_000
    side: int = 16_384
    """Pixels of the longer side."""


def decode_portrait(data: bytes, limits: ImageLimits | None = None) -> NDArray[np.uint8]:
    """A JPEG, PNG or WebP file to RGB (H, W, 3), turned upright as its EXIF orientation says.

    Raises `InvalidInputError` on the field `portrait`: not such an image, cut short or damaged, or
    larger than `limits`, which is checked on the header alone.
    """
    limits = limits or ImageLimits()
    if len(data) > limits.bytes:
        raise _refused(f"{len(data)} bytes; allowed: up to {limits.bytes}")
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
        _check_size(image, limits)
        return _to_rgb(_upright(image))
    except Image.DecompressionBombError as error:
        raise _refused(f"has far more than {limits.pixels} pixels") from error
    except UnidentifiedImageError as error:
        raise _refused("is no image that can be read; allowed: JPEG, PNG, WebP") from error
    except _DECODER_ERRORS as error:
        raise _refused(f"is a damaged or incomplete image ({error})") from error


def _refused(problem: str) -> InvalidInputError:
    return InvalidInputError("portrait", problem)


def _check_size(image: Image.Image, limits: ImageLimits) -> None:
    width, height = image.size
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise _refused(
            f"{width}x{height} pixels; allowed: up to {limits.pixels} pixels "
            f"and {limits.side} a side"
        )


def _upright(image: Image.Image) -> Image.Image:
    turn = _turn(image)
    return image if turn is None else image.transpose(turn)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What its EXIF tags ask for. Tags may be damaged in any way while the pixels are fine."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Band by band: a second picture in memory at once is the result, and no third."""
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):
        rows = slice(top, min(top + _BAND_ROWS, image.height))
        rgb[rows] = _band_to_rgb(image.crop((0, rows.start, image.width, rows.stop)))
    return rgb


def _band_to_rgb(band: Image.Image) -> NDArray[np.uint8]:
    if band.mode.startswith("I"):  # 16-bit grey, which Pillow would clip rather than scale
        grey = (np.asarray(band).astype(np.uint32) // 257).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if band.has_transparency_data:
        backdrop = Image.new("RGBA", band.size, _BACKGROUND)
        band = Image.alpha_composite(backdrop, band.convert("RGBA"))
    return np.asarray(band.convert("RGB"))
