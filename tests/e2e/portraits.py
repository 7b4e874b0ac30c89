"""Portraits of every kind, all made from the one example picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.spatial import Delaunay

from ditto import packs
from ditto.face.detect import FaceDetector
from ditto.face.landmarks import FaceLandmarker

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ORIENTATION = 0x0112
TURNED_LEFT = 6
"""EXIF orientation of a picture that must be turned by 90 degrees clockwise to be upright."""


def astronaut() -> Image.Image:
    """The example portrait, cut so that it is higher than wide."""
    return Image.open(EXAMPLES / "astronaut.jpg").convert("RGB").crop((40, 0, 400, 440))


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def from_a_phone() -> bytes:
    """12 megapixels with sensor noise and an orientation tag, about 8 MB."""
    large = np.asarray(astronaut().resize((3024, 3696), Image.Resampling.BICUBIC), np.int16)
    noise = np.random.default_rng(1).normal(0, 12, large.shape).astype(np.int16)
    noisy = Image.fromarray(np.clip(large + noise, 0, 255).astype(np.uint8))
    return _with_orientation(noisy.transpose(Image.Transpose.ROTATE_90), quality=98)


def exif_rotated() -> bytes:
    """Stored lying on its side."""
    return _with_orientation(astronaut().transpose(Image.Transpose.ROTATE_90), quality=95)


def _with_orientation(image: Image.Image, quality: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_LEFT
    return encoded(image, "JPEG", quality=quality, exif=exif)


def sixteen_bit() -> bytes:
    """RGB PNG of 16 bits a channel."""
    pixels = np.asarray(astronaut(), np.uint16)[:, :, ::-1] * 257
    return bytes(cv2.imencode(".png", pixels)[1])


def usable() -> dict[str, bytes]:
    """Unusual files of a face that must work."""
    image = astronaut()
    mask = Image.new("L", image.size, 255)
    mask.paste(0, (0, 0, 60, image.height))
    alpha = image.copy()
    alpha.putalpha(mask)
    return {
        "exif-rotated": exif_rotated(),
        "cmyk": encoded(image.convert("CMYK"), "JPEG", quality=95),
        "16-bit": sixteen_bit(),
        "alpha": encoded(alpha, "PNG"),
        "palette": encoded(image.quantize(256), "PNG"),
        "grey": encoded(image.convert("L"), "JPEG", quality=95),
        "webp": encoded(image, "WEBP", quality=90),
        "progressive": encoded(image, "JPEG", progressive=True),
    }


def no_face() -> bytes:
    """Clouds: smooth noise without anything like a face."""
    coarse = np.random.default_rng(5).integers(60, 200, (6, 6, 3), np.uint8)
    return encoded(Image.fromarray(coarse).resize((480, 480), Image.Resampling.BICUBIC), "JPEG")


def two_faces() -> bytes:
    """The same person twice, side by side."""
    image = astronaut()
    both = Image.new("RGB", (2 * image.width, image.height))
    both.paste(image, (0, 0))
    both.paste(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (image.width, 0))
    return encoded(both, "JPEG", quality=95)


def tiny_face() -> bytes:
    """A face of some 50 pixels in a large empty picture."""
    canvas = Image.new("RGB", (1200, 900), (90, 110, 130))
    canvas.paste(astronaut().resize((164, 200), Image.Resampling.LANCZOS), (520, 350))
    return encoded(canvas, "PNG")


def turned_away(degrees: float = -55) -> bytes:
    """The face turned aside: its mesh rotated in space, each triangle with its own pixels."""
    image = np.asarray(astronaut())
    task = packs.load("starter").asset("face_landmarker")
    mesh = FaceLandmarker(task)(image, FaceDetector(task)(image)[0]).points
    angle, centre = np.radians(degrees), mesh.mean(0)
    x, z = (mesh - centre)[:, 0], (mesh - centre)[:, 2]
    turned = mesh.copy()
    turned[:, 0] = centre[0] + np.cos(angle) * x + np.sin(angle) * z
    depth = -np.sin(angle) * x + np.cos(angle) * z
    canvas = cv2.GaussianBlur(image, (0, 0), 25)
    triangles = Delaunay(mesh[:, :2]).simplices
    for corners in triangles[np.argsort(-depth[triangles].mean(1))]:
        source, target = (points[corners, :2].astype(np.float32) for points in (mesh, turned))
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.round(target).astype(np.int32), 255)
        moved = cv2.warpAffine(image, cv2.getAffineTransform(source, target), mask.shape[::-1])
        canvas[mask > 0] = moved[mask > 0]
    return encoded(Image.fromarray(canvas), "JPEG", quality=95)


def bomb() -> bytes:
    """A small PNG that says it has 900 megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 16))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
