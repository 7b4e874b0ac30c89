"""Portrait decoding: every colour layout and orientation, and refusals before any pixel is read."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from ditto.errors import InvalidInputError
from ditto.media.image import ImageLimits, decode_portrait

RED, BLUE = (220, 30, 20), (20, 40, 200)
PICTURE = np.zeros((40, 60, 3), np.uint8)
PICTURE[:20], PICTURE[20:] = RED, BLUE


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture() -> Image.Image:
    return Image.fromarray(PICTURE)


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: int) -> None:
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    inner = np.ones(expected.shape[:2], bool)
    inner[16:32] = False  # lossy formats blur the edge between the colours
    difference = np.abs(found.astype(int) - expected)[inner]
    assert difference.max() <= tolerance


@pytest.mark.parametrize(("kind", "tolerance"), [("JPEG", 8), ("PNG", 0), ("WEBP", 8)])
def test_each_format(kind: str, tolerance: int) -> None:
    assert_close(decode_portrait(encoded(picture(), kind)), PICTURE, tolerance)


def test_pixels_can_be_drawn_on() -> None:
    found = decode_portrait(encoded(picture(), "PNG"))
    found[0, 0] = 7
    assert found.flags.c_contiguous


def test_cmyk_jpeg() -> None:
    data = encoded(picture().convert("CMYK"), "JPEG", quality=95)
    assert_close(decode_portrait(data), PICTURE, 4)


def test_palette_png() -> None:
    data = encoded(picture().quantize(8), "PNG")
    assert_close(decode_portrait(data), PICTURE, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey(kind: str) -> None:
    grey = np.linspace(0, 255, 2400).reshape(40, 60).astype(np.uint8)
    found = decode_portrait(encoded(Image.fromarray(grey), kind, quality=100))
    assert_close(found, np.repeat(grey[:, :, None], 3, 2), 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_are_scaled_not_clipped(channels: int) -> None:
    eight = np.random.default_rng(3).integers(0, 256, (40, 60, channels), np.uint8)
    written, png = cv2.imencode(".png", eight[:, :, ::-1].astype(np.uint16) * 257)
    assert written
    assert_close(decode_portrait(png.tobytes()), np.broadcast_to(eight, (40, 60, 3)), 1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_lies_on_white(kind: str) -> None:
    image = picture().convert("RGBA")
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[20:] = 0
    image.putalpha(Image.fromarray(alpha))
    expected = PICTURE.copy()
    expected[20:] = 255
    assert_close(decode_portrait(encoded(image, kind, lossless=True)), expected, 1)


def test_transparent_palette_lies_on_white() -> None:
    image = picture().quantize(8)
    data = encoded(image, "PNG", transparency=image.getpixel((5, 30)))
    assert tuple(decode_portrait(data)[30, 5]) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    quarters = np.zeros((40, 60, 3), np.uint8)
    quarters[:20, :30], quarters[20:, 30:] = RED, BLUE
    turns = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: np.rot90(x, -1),
        7: lambda x: np.rot90(x.transpose(1, 0, 2), 2),
        8: np.rot90,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode_portrait(encoded(Image.fromarray(quarters), kind, exif=exif))
    expected = turns[orientation](quarters)
    assert found.shape == expected.shape
    height, width = expected.shape[:2]
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            assert np.abs(found[y, x].astype(int) - expected[y, x]).max() <= 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_files_are_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(InvalidInputError) as caught:
        decode_portrait(data[: int(len(data) * share)])
    assert caught.value.field == "portrait"


@pytest.mark.parametrize("data", [b"", b"hello", b"GIF89a" + bytes(64), b"\x89PNG\r\n\x1a\n" * 9])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="portrait"):
        decode_portrait(data)


def test_formats_that_are_not_offered_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="JPEG, PNG, WebP"):
        decode_portrait(encoded(picture(), "BMP"))


def test_size_is_checked_on_the_header_alone() -> None:
    """The file ends after its header, so only a check that decodes nothing can name the size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 8_000, 8_000, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + check
    with pytest.raises(InvalidInputError, match="8000x8000 pixels; allowed"):
        decode_portrait(start + struct.pack(">I", 5_000) + b"IDAT" + bytes(8))


def test_limits_are_parameters() -> None:
    data = encoded(picture(), "PNG")
    assert decode_portrait(data, ImageLimits(pixels=2_400)).shape == (40, 60, 3)
    for limits in (ImageLimits(bytes=20), ImageLimits(pixels=2_399), ImageLimits(side=59)):
        with pytest.raises(InvalidInputError, match="allowed"):
            decode_portrait(data, limits)
