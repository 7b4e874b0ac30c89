"""Prepares the mouth: the cut between the lips and the layers that show through it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.sampling import blur
from ditto.packs.starter.renderer.curves import RowAxis, smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.lip_vertices import LipVertices
from ditto.packs.starter.renderer.teeth import LOWER, UPPER, paint_row
from ditto.packs.starter.renderer.texture import (
    LUMA,
    SCALE,
    polygon_mask,
    texture_box,
    texture_grid,
)

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]

_SHOWS_INSIDE_MM = 2.0
"""From this own gap on, the portrait's real mouth interior is used."""
_TOO_WIDE_MM = 12.0
"""From this own gap on, what lies between the lips is mostly not teeth."""


@dataclass(frozen=True)
class MouthColours:
    """RGB of what is behind the lips."""

    teeth: Array
    tongue: Array
    cavity: Array


def mouth_box(face: FaceGeometry, lips: LipVertices) -> Box:
    """Texture box around the lips, with room for the dropped jaw."""
    points = face.xy[: topo.SKIN_POINTS][lips.lips]
    reach = 8 * face.mm
    return texture_box(points.min(0) - reach, points.max(0) + np.array([reach, 26 * face.mm]))


def lip_masks(face: FaceGeometry, box: Box) -> tuple[Image, Image]:
    """Opacity (h, w) of the upper and of the lower branch: each ends at its own inner lip.

    Shut lips overlap by about a pixel, so that nothing dark leaks through the seam. Beyond the
    corners the lower branch is opaque, or the cavity would show there as smears.
    """
    axis = RowAxis(face.seam[0, :2], face.seam[-1, :2])
    grid = texture_grid(box)
    along = np.abs(axis.to_row(grid)[..., 0])
    below_upper = axis.height_over(face.xy[list(topo.UPPER_LIP_INNER)], grid)
    below_lower = axis.height_over(face.xy[list(topo.LOWER_LIP_INNER)], grid)
    beyond = np.maximum(along - 0.98 * axis.half_width, 0)
    soft = 1 + 0.5 * beyond
    upper = smoothstep(1.0, -0.4, below_upper / soft)
    outside = smoothstep(0.96 * axis.half_width, 1.04 * axis.half_width, along)
    lower = np.maximum(smoothstep(-1.0, 0.4, below_lower / soft), outside)
    return (upper * 255).astype(np.uint8), (lower * 255).astype(np.uint8)


def shows_inside(own_gap_mm: float) -> bool:
    """Whether a portrait's own mouth is open far enough to be looked into."""
    return own_gap_mm > _SHOWS_INSIDE_MM


def measure_colours(face: FaceGeometry, texture: Image, box: Box) -> MouthColours:
    """Tints taken from the portrait's skin and lips, at the brightness of its highlights."""
    x0, y0, x1, y1 = box
    small = texture[::4, ::4]
    oval = polygon_mask(face.xy[list(topo.FACE_OVAL)], (0, 0, texture.shape[1], texture.shape[0]))
    skin = small[oval[::4, ::4] > 200].astype(np.float32)
    luma = skin @ LUMA
    highlight = float(np.percentile(luma, 75))
    tint = np.median(skin[luma > np.percentile(luma, 50)], axis=0)
    colourful = float((skin.max(1) - skin.min(1)).mean()) > 12
    patch = texture[y0:y1, x0:x1]
    lip_pixels = patch[_lip_mask(face, box) > 128].astype(np.float32)
    lip = np.median(lip_pixels, axis=0) if len(lip_pixels) > 20 else 0.7 * tint
    teeth = (0.45 * tint / (tint @ LUMA) + 0.55) * min(highlight, 222.0)
    flesh = lip * (np.array([1.12, 0.80, 0.80]) if colourful else 1.0)
    level = np.clip(lip @ LUMA, 0.28 * highlight, 0.62 * highlight) * 0.9
    tongue = flesh / (flesh @ LUMA) * level
    real = _real_teeth_colour(face, texture, box, highlight)
    return MouthColours(
        teeth=(real if real is not None else teeth).astype(np.float32),
        tongue=tongue.astype(np.float32),
        cavity=(0.2 * tongue).astype(np.float32),
    )


def _lip_mask(face: FaceGeometry, box: Box) -> Image:
    mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    for outer, inner in (
        (topo.UPPER_LIP_OUTER, topo.UPPER_LIP_INNER),
        (topo.LOWER_LIP_OUTER, topo.LOWER_LIP_INNER),
    ):
        outline = np.concatenate([face.xy[list(outer)], face.xy[list(inner[::-1])]])
        mask = np.maximum(mask, polygon_mask(outline, box))
    return mask


def _opening_mask(face: FaceGeometry, box: Box) -> Image:
    inner = list(topo.UPPER_LIP_INNER) + list(topo.LOWER_LIP_INNER[::-1])
    return polygon_mask(face.xy[inner], box)


def _real_teeth_colour(
    face: FaceGeometry, texture: Image, box: Box, highlight: float
) -> Array | None:
    """Median of the bright pixels between the lips, or None where no teeth show."""
    if not shows_inside(face.gap_mm):
        return None
    x0, y0, x1, y1 = box
    pixels = texture[y0:y1, x0:x1][_opening_mask(face, box) > 200].astype(np.float32)
    if len(pixels) < 40:
        return None
    luma = pixels @ LUMA
    bright = pixels[luma >= np.percentile(luma, 60)]
    if bright.mean() < 0.55 * highlight:
        return None
    return np.asarray(np.median(bright, axis=0) * 0.97, np.float32)


def paint_interior(
    face: FaceGeometry, colours: MouthColours, texture: Image, box: Box
) -> tuple[Image, Image, Image]:
    """The layers behind the lips: upper teeth RGBA, tongue and lower teeth RGBA, and the
    cavity RGB with the weight of the upper teeth where they bite on the lower lip."""
    axis = RowAxis(face.seam[0, :2], face.seam[-1, :2])
    grid = texture_grid(box)
    place = axis.to_row(grid)
    foreshortening = axis.half_width / (face.mouth_half_mm * face.mm)
    seam_middle = axis.to_row(face.seam[5, :2])[1]
    x = place[..., 0] / face.mm / foreshortening
    y = (place[..., 1] - seam_middle) / face.mm
    side = np.abs(x) / face.mouth_half_mm
    dim = (1 - 0.75 * smoothstep(0.55, 1.0, side))[..., None]  # the dark corridor at the corners

    upper_rgb, upper_alpha = paint_row(UPPER, x, y, colours.teeth)
    upper = np.dstack([upper_rgb * dim, upper_alpha * 255])
    if shows_inside(face.gap_mm):
        upper = _use_real_interior(upper, face, texture, box)

    lower_rgb, lower_alpha = paint_row(LOWER, x, y, 0.86 * colours.teeth)
    tongue_shape = np.hypot(x / 18, (y - 5) / 10)
    furrow = 1 - 0.18 * np.exp(-((x / 1.4) ** 2))
    tongue_light = (0.45 + 0.75 * smoothstep(-6, 3, y)) * furrow * (1 - 0.3 * (x / 18) ** 2)
    tongue_rgb = tongue_light[..., None] * colours.tongue
    tongue_alpha = smoothstep(1.08, 0.7, tongue_shape)
    a = lower_alpha[..., None]
    lower = np.dstack(
        [(tongue_rgb * (1 - a) + lower_rgb * a) * dim, 255 * np.maximum(tongue_alpha, lower_alpha)]
    )
    throat = 0.55 + 0.45 * np.exp(-(((y - 3) / 9) ** 2)) + smoothstep(0.6, 1.05, side)
    bite = smoothstep(0.72, 0.42, side)  # where upper teeth may rest on the lower lip
    cavity = np.dstack([throat[..., None] * colours.cavity, 255 * bite])
    soft = 0.3 * SCALE
    return (
        _to_bytes(blur(upper, soft)),
        _to_bytes(blur(lower, soft)),
        _to_bytes(cavity),
    )


def _to_bytes(values: Array) -> Image:
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8)


def _use_real_interior(upper: Array, face: FaceGeometry, texture: Image, box: Box) -> Array:
    """Put the portrait's own teeth over the painted ones, grown a little beyond the opening."""
    x0, y0, x1, y1 = box
    mm = face.mm * SCALE
    opening = _opening_mask(face, box)
    core = cv2.erode(opening, np.ones((3, 3), np.uint8)) > 200
    if core.sum() < 60:
        return upper
    patch = texture[y0:y1, x0:x1]
    grown = cv2.inpaint(patch, (~core).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 5)
    axis = RowAxis(face.seam[0, :2], face.seam[-1, :2])
    below = axis.height_over(face.xy[list(topo.LOWER_LIP_INNER)], texture_grid(box)) > -0.6
    keep = np.where(below, smoothstep(8, 3, away), smoothstep(6 * mm, 0, away))
    if face.gap_mm > _TOO_WIDE_MM:
        keep = np.where(below, 0, keep)
    keep = blur(keep.astype(np.float32), 1.6)
    weight = keep[..., None]
    rgb = upper[..., :3] * (1 - weight) + grown * weight
    alpha = np.maximum(upper[..., 3] * ~below, keep * 255)
    return np.dstack([rgb, alpha]).astype(np.float32)
