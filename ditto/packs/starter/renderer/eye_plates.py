"""Prepares the eyes: white, iris and lid as layers of their own, in texture pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.packs.starter.renderer.curves import RowAxis, smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.texture import LUMA, SCALE, texture_box, texture_grid, to_texture

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

LASH_BAND_MM = 1.9
"""Height of the lash band above the lid's edge."""


@dataclass(frozen=True)
class EyeShape:
    """Where one eye's parts lie, measured on the texture pixels of its box.

    All rows run from the image's left to its right; heights are texture pixels, positive downwards.
    """

    rows: Array
    """(2, 9, 2) upper and lower lid row, HEAD pixels."""
    iris: Array
    """(3,) iris centre x, y and radius, HEAD pixels."""
    brow_height: float
    """The brow's lower edge over the eye's axis, HEAD pixels (negative: above)."""
    mm: float
    """HEAD pixels a millimetre."""

    @cached_property
    def axis(self) -> RowAxis:
        """From corner to corner."""
        return RowAxis(self.rows[0, 0], self.rows[0, -1])

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Texture box with the brow above and the cheek's rim below."""
        points = self.rows.reshape(-1, 2)
        top = self.axis.centre[1] + self.brow_height
        side, below = 8 * self.mm, 8 * self.mm
        low = np.array([points[:, 0].min() - side, min(top, points[:, 1].min() - 9 * self.mm)])
        return texture_box(low, points.max(0) + [side, below])

    @cached_property
    def grid(self) -> Array:
        """(h, w, 2) HEAD coordinates of the box's texture pixels."""
        return texture_grid(self.box)

    @cached_property
    def below_upper(self) -> Array:
        """(h, w) texture pixels below the upper lid's edge."""
        return SCALE * self.axis.height_over(self.rows[0], self.grid)

    @cached_property
    def below_lower(self) -> Array:
        """(h, w) texture pixels below the lower lid's edge."""
        return SCALE * self.axis.height_over(self.rows[1], self.grid)

    @cached_property
    def across(self) -> Array:
        """(h, w): 0 at the eye's middle, 1 at its corners."""
        place = np.abs(self.axis.to_row(self.grid)[..., 0]) / self.axis.half_width
        return np.asarray(np.minimum(place, 1.4), np.float32)

    @cached_property
    def iris_distance(self) -> Array:
        """(h, w) distance to the iris centre over its radius."""
        return np.asarray(
            np.linalg.norm(self.grid - self.iris[:2], axis=-1) / self.iris[2], np.float32
        )

    @cached_property
    def open_px(self) -> Array:
        """(h, w) height of the opening in each column, texture pixels."""
        return np.maximum(self.below_upper - self.below_lower, 0)


def measure_eye(face: FaceGeometry, left: bool) -> EyeShape:
    """The subject's left or right eye."""
    rows = (
        (topo.LEFT_EYE_UPPER, topo.LEFT_EYE_LOWER, topo.LEFT_IRIS, topo.LEFT_BROW)
        if left
        else (topo.RIGHT_EYE_UPPER, topo.RIGHT_EYE_LOWER, topo.RIGHT_IRIS, topo.RIGHT_BROW)
    )
    upper, lower, iris, brow = (face.xy[list(row)] for row in rows)
    axis = RowAxis(upper[0], upper[-1])
    radius = np.linalg.norm(iris[1:] - iris[0], axis=1).mean()
    return EyeShape(
        rows=np.stack([upper, lower]),
        iris=np.array([*iris[0], radius], np.float32),
        brow_height=float(min(axis.to_row(brow)[:, 1].max(), -9 * face.mm)),
        mm=face.mm,
    )


@dataclass(frozen=True)
class EyeLayers:
    """What one eye is made of, on the texture pixels of its box."""

    white: Image
    """(h, w, 3) the ball without its iris."""
    iris: Image
    """(h, w, 4) the iris with what the lids hide completed."""
    lid: Image
    """(h, w, 3) the skin of the closed lid."""


def paint_eye(shape: EyeShape, texture: Image) -> EyeLayers:
    """Separate an eye into its layers."""
    x0, y0, x1, y1 = shape.box
    patch = np.ascontiguousarray(texture[y0:y1, x0:x1])
    opening = (shape.below_upper > 2) & (shape.below_lower < -1.2) & (shape.across < 0.97)
    return EyeLayers(
        white=_paint_white(shape, patch, opening),
        iris=_cut_iris(shape, patch, opening),
        lid=_paint_lid(shape, patch),
    )


def _paint_white(shape: EyeShape, patch: Image, opening: NDArray[np.bool_]) -> Image:
    """Real white where it shows, else its tone, never brighter than the skin below allows."""
    far = opening & (shape.iris_distance > 1.2) & (shape.below_upper > 3)
    if far.sum() < 24:
        far = opening
    pixels = patch[far].astype(np.float32) if far.any() else np.full((1, 3), 200, np.float32)
    luma = pixels @ LUMA
    tone = np.median(pixels[luma >= np.percentile(luma, 45)], axis=0)
    below = SCALE * shape.mm
    under_eye = (
        (shape.below_lower > 1.2 * below) & (shape.below_lower < 4 * below) & (shape.across < 0.8)
    )
    if under_eye.any():
        ceiling = 0.92 * float(np.median(patch[under_eye].astype(np.float32) @ LUMA))
        tone = tone * min(1.0, ceiling / max(float(tone @ LUMA), 1.0))
    down = shape.below_upper / np.maximum(shape.open_px, 2)
    shade = (0.62 + 0.38 * smoothstep(0, 0.45, down)) * (
        1 - 0.28 * smoothstep(0.55, 1.0, shape.across)
    )
    real = (smoothstep(1.2, 1.7, shape.iris_distance) * opening * 0.75)[..., None]
    mixed = shade[..., None] * tone * (1 - real) + patch * real
    return cv2.GaussianBlur(np.clip(mixed, 0, 255), (0, 0), 1.6).astype(np.uint8)


def _cut_iris(shape: EyeShape, patch: Image, opening: NDArray[np.bool_]) -> Image:
    """The iris as a sprite; what a lid covers is mirrored from below, the rest inpainted."""
    x0, y0 = shape.box[:2]
    centre = to_texture(shape.iris[:2]) - [x0, y0]
    h, w = patch.shape[:2]
    columns, rows = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    mirrored_rows = (2 * centre[1] - rows).astype(np.float32)
    mirror = cv2.remap(
        patch, columns, mirrored_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mirror_open = (
        cv2.remap(opening.astype(np.uint8), columns, mirrored_rows, cv2.INTER_NEAREST) > 0
    )
    sprite = patch.copy()
    sprite[~opening & mirror_open] = mirror[~opening & mirror_open]
    near = shape.iris_distance < 1.4
    missing = (~opening & ~mirror_open & near).astype(np.uint8)
    sprite = cv2.inpaint(sprite, missing, 3, cv2.INPAINT_TELEA)
    alpha = smoothstep(1.14, 0.98, shape.iris_distance)
    return np.dstack([sprite, (alpha * 255).astype(np.uint8)])


def _paint_lid(shape: EyeShape, patch: Image) -> Image:
    """Skin of the closed lid: lashes and opening inpainted, domed light, grain of the skin above."""
    band = LASH_BAND_MM * SCALE * shape.mm
    hidden = (
        (shape.below_upper > -band)
        & (shape.below_lower < 1.3 * SCALE * shape.mm)
        & (shape.across < 1.08)
    )
    half = cv2.resize(patch, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    half_hidden = cv2.resize(hidden.astype(np.uint8), half.shape[1::-1]) > 0
    filled = cv2.inpaint(half, half_hidden.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, patch.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    skin = cv2.GaussianBlur(filled, (0, 0), 2.4 * SCALE / 2).astype(np.float32)
    down = (shape.below_upper + band) / np.maximum(shape.open_px + band, 2)
    dome = 1 + 0.07 * np.exp(-(((down - 0.45) / 0.25) ** 2)) - 0.16 * smoothstep(0.6, 1.0, down)
    above = (shape.below_upper < -band) & (shape.below_upper > -3.5 * band) & (shape.across < 1)
    grain = patch.astype(np.float32) - cv2.GaussianBlur(patch, (0, 0), 3).astype(np.float32)
    level = min(float(grain[above].std()) if above.sum() > 10 else 2.0, 5.0)
    noise = np.random.default_rng(0).standard_normal(patch.shape[:2]).astype(np.float32)
    noise = 2 * level * cv2.GaussianBlur(noise, (0, 0), 1.2)
    return np.clip(skin * dome[..., None] + noise[..., None], 0, 255).astype(np.uint8)
