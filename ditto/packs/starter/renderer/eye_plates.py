"""Prepares the eyes: white, iris and lid as layers of their own, in texture pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ditto.face import topology as topo
from ditto.face.sampling import blur
from ditto.packs.starter.renderer.colour_fit import fit_colours
from ditto.packs.starter.renderer.curves import RowAxis, smoothstep
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.texture import LUMA, SCALE, texture_box, texture_grid

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LASH_BAND_MM = 2.5
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
        return texture_box(low, points.max(0) + np.array([side, below]))

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
        return np.asarray(np.maximum(self.below_upper - self.below_lower, 0), np.float32)


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
    """(h, w, 4) the skin of the closed lid; opacity: lash strokes, fine dark streaks."""
    lash: Array
    """(3,) colour of the lashes."""


def paint_eye(shape: EyeShape, texture: Image) -> EyeLayers:
    """Separate an eye into its layers."""
    x0, y0, x1, y1 = shape.box
    patch = np.ascontiguousarray(texture[y0:y1, x0:x1])
    opening = (shape.below_upper > 2) & (shape.below_lower < -1.2) & (shape.across < 0.97)
    white = _paint_white(shape, patch, opening)
    lid = _paint_lid(shape, patch)
    return EyeLayers(
        white=white,
        iris=_cut_iris(shape, patch, opening),
        lid=np.dstack([lid, _lash_strokes(patch.shape[1], patch.shape[0], shape)]),
        lash=_lash_colour(shape, patch, lid),
    )


def _place(shape: EyeShape) -> Array:
    """(h, w, 2) eye coordinates, about -1..1 across the eye."""
    return np.asarray(shape.axis.to_row(shape.grid) / shape.axis.half_width, np.float32)


def _paint_white(shape: EyeShape, patch: Image, opening: Mask) -> Image:
    """The real white where it shows, continued under the iris, shaded by the upper lid."""
    clear = opening & (shape.iris_distance > 1.25) & (shape.below_upper > 3)
    clear &= shape.below_lower < -2
    luma = patch.astype(np.float32) @ LUMA
    if clear.sum() > 40:
        clear &= luma > np.percentile(luma[clear], 35)
        tone = fit_colours(_place(shape), patch, clear, quadratic=False, dark=True)
    else:
        brightest = np.percentile(patch[opening], 85, axis=0) if opening.any() else 190.0
        tone = np.zeros(patch.shape, np.float32) + np.asarray(brightest, np.float32)
    down = shape.below_upper / np.maximum(shape.open_px, 2)
    shade = (0.72 + 0.28 * smoothstep(0, 0.4, down)) * (
        1 - 0.22 * smoothstep(0.55, 1.0, shape.across)
    )
    real = (smoothstep(1.2, 1.5, shape.iris_distance) * opening)[..., None]
    mixed = shade[..., None] * tone * (1 - real) + patch * real
    return blur(np.clip(mixed, 0, 255).astype(np.uint8), 1.2)


def _cut_iris(shape: EyeShape, patch: Image, opening: Mask) -> Image:
    """The iris as a sprite; what a lid covers takes the colour of its ring."""
    distance = shape.iris_distance
    seen = opening & (shape.below_upper > 3) & (distance < 1.3)
    ring = np.minimum((distance * 10).astype(int), 13)
    known = np.bincount(ring[seen], minlength=14)
    profile = np.stack(
        [np.bincount(ring[seen], patch[seen][:, c], minlength=14) for c in range(3)], axis=1
    ) / np.maximum(known, 1)[:, None]  # fmt: skip
    places = np.flatnonzero(known >= 3)
    if len(places) < 3:
        return np.dstack([patch, np.zeros(patch.shape[:2], np.uint8)])
    rings = np.stack(
        [np.interp(distance * 10 - 0.5, places, profile[places, c]) for c in range(3)], axis=-1
    )
    trust = smoothstep(2, 6, np.minimum(shape.below_upper, -shape.below_lower + 1))
    trust *= opening
    sprite = rings + (patch - rings) * trust[..., None]
    alpha = smoothstep(1.12, 0.98, distance)
    return np.dstack([np.clip(sprite, 0, 255), alpha * 255]).astype(np.uint8)


def _paint_lid(shape: EyeShape, patch: Image) -> Image:
    """Skin of the closed lid: the skin around the eye continued, domed light, the skin's grain."""
    mm = SCALE * shape.mm
    band = LASH_BAND_MM * mm
    height = SCALE * shape.axis.to_row(shape.grid)[..., 1]
    above = (shape.below_upper < -band) & (height > SCALE * shape.brow_height + 1.5 * mm)
    below = (shape.below_lower > 1.8 * mm) & (shape.below_lower < 6.5 * mm)
    skin = fit_colours(
        _place(shape), patch, (above | below) & (shape.across < 1.1), quadratic=True, dark=True
    )
    down = (shape.below_upper + band) / np.maximum(shape.open_px + band, 2)
    skin += _edge_error(shape, patch, skin, band) * np.exp(-0.8 * np.maximum(down, 0))[..., None]
    dome = 1 + 0.05 * np.exp(-(((down - 0.4) / 0.25) ** 2)) - 0.07 * smoothstep(0.6, 1.0, down)
    grain = patch.astype(np.float32) - blur(patch, 3).astype(np.float32)
    level = min(float(grain[below].std()) if below.sum() > 10 else 2.0, 4.0)
    noise = np.random.default_rng(0).standard_normal(patch.shape[:2]).astype(np.float32)
    noise = 1.7 * level * blur(noise, 1.2)
    lid = np.clip(skin * dome[..., None] + noise[..., None], 0, 255)
    return np.asarray(lid, np.uint8)


def _edge_error(shape: EyeShape, patch: Image, skin: Array, band: float) -> Array:
    """(1, w, 3) how much the skin just above the lashes differs from ``skin``, column by column."""
    edge = (shape.below_upper < -1.1 * band) & (shape.below_upper > -2.6 * band)
    error = np.where(edge[..., None], patch - skin, 0)
    error = np.maximum(error, -25)  # a lash or a brow hair tells nothing about the lid
    reach = 3 * SCALE * shape.mm
    total = blur(error.sum(0)[None].astype(np.float32), reach)
    count = blur(edge.sum(0)[None].astype(np.float32), reach)
    return np.asarray(total / np.maximum(count, 1e-3)[..., None], np.float32)


def _lash_colour(shape: EyeShape, patch: Image, lid: Image) -> Array:
    """The dark of the lash band; no darker than the band is, so that pale lashes stay pale."""
    band = (np.abs(shape.below_upper) < SCALE * shape.mm) & (shape.across < 0.9)
    if band.sum() < 10:
        return np.asarray(lid.reshape(-1, 3).mean(0) * 0.6, np.float32)
    pixels = patch[band].astype(np.float32)
    luma = pixels @ LUMA
    return np.asarray(pixels[luma <= np.percentile(luma, 25)].mean(0), np.float32)


def _lash_strokes(width: int, height: int, shape: EyeShape) -> Image:
    """(h, w) 0..255: uneven density of the lashes along the lid, fanning out to its ends."""
    along = shape.axis.to_row(shape.grid)[..., 0] / shape.mm
    fan = along - 0.12 * along * np.maximum(shape.below_lower / (SCALE * shape.mm), -2)
    strokes = np.random.default_rng(1).standard_normal(256).astype(np.float32)
    density = np.interp(fan * 4.0 + 128, np.arange(256), strokes).reshape(height, width)
    return np.asarray(np.clip(150 + 60 * density, 0, 255), np.uint8)
