"""The lids of one eye at any closure: a picture of them, and how much of the ball shows through."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import sample
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.eye_plates import LASH_BAND_MM, EyeLayers, EyeShape
from ditto.packs.starter.renderer.texture import SCALE

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Span = tuple[slice, slice]

_LOWER_LID_SHARE = 0.07
"""How much of a blink the lower lid does."""


@dataclass(frozen=True)
class LoweredLids:
    """An eye at one closure is ``skin``, plus the ball times ``shows`` over its opening."""

    skin: Image
    """(h, w, 3) lids and all around, black where the ball is."""
    shows: Image
    """(h', w', 3) 255 where the ball shows in full, on `Eyelids.opening`."""

    def over(self, ball: Image, opening: Span) -> Image:
        """The eye (h, w, 3) with a ball (h', w', 3) behind the lids."""
        eye = self.skin.copy()
        view = eye[opening]
        cv2.add(view, cv2.multiply(ball, self.shows, scale=1 / 255), view)
        return eye


class Eyelids:
    """The lids of one portrait's eye; lowering never changes them."""

    def __init__(self, shape: EyeShape, layers: EyeLayers, patch: Image) -> None:
        """patch (h, w, 3): the eye as it is in the picture."""
        self._shape = shape
        self._patch = patch
        self._mm = SCALE * shape.mm
        h, w = patch.shape[:2]
        self._pixels = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32)
        self._inside = (shape.across < 1).astype(np.float32)
        self.opening = _bounds(
            (shape.below_upper > -2) & (shape.below_lower < 1) & (shape.across < 1)
        )
        """Rows and columns of the patch where the ball may show."""
        self._keep_lid(layers)

    def _keep_lid(self, layers: EyeLayers) -> None:
        """What every closure shares: where the lid stretches, covers, and has its lashes."""
        shape, mm = self._shape, self._mm
        across, band = shape.across, LASH_BAND_MM * mm
        height = SCALE * shape.axis.to_row(shape.grid)[..., 1].astype(np.float32)
        brow = SCALE * shape.brow_height
        self._room = np.maximum(height - shape.below_upper - band - brow, 1)
        self._place = np.clip((height - brow) / self._room, 0, 1) ** 2
        self._stretches = smoothstep(1.3, 1.0, across)
        self._was_open = smoothstep(-1.0, 1.0, shape.below_upper)
        self._over_lashes = smoothstep(-0.5 * band, 0.5 * band, shape.below_upper + 0.8 * band)
        self._covers = smoothstep(1.08, 0.94, across)
        self._has_lashes = smoothstep(1.04, 0.75, across)
        self._lid = layers.lid[..., :3].astype(np.float32)
        self._strokes = layers.lid[..., 3].astype(np.float32) / np.float32(255)
        self._lash = np.broadcast_to(layers.lash, self._lid.shape).astype(np.float32)
        self._black = np.zeros_like(self._lid)

    def lowered(self, closure: float) -> LoweredLids:
        """Upper lid down to the lower one, which rises a little; closure above 0, at most 1."""
        shape, mm = self._shape, self._mm
        rise = _LOWER_LID_SHARE * closure * shape.open_px
        down = closure * ((1 - _LOWER_LID_SHARE) * shape.open_px + 0.3 * mm)
        below_lid = (shape.below_upper - down).astype(np.float32)
        above_lower = (-shape.below_lower - rise).astype(np.float32)

        skin = self._stretched(down, rise, below_lid, above_lower)
        visible = smoothstep(-1.2, 2.0, below_lid) * smoothstep(-0.6, 2.0, above_lower)
        visible *= self._inside
        shade = 1 - np.float32(0.3 * closure) * np.exp(np.maximum(below_lid, 0) / np.float32(-6))
        skin = _mixed(skin, self._black, visible)
        shows = visible * shade

        strength = min(1.0, 2.5 * closure)
        cover = (
            np.maximum(self._was_open, strength * self._over_lashes)
            * smoothstep(1.6 * mm, 0.0, -above_lower)
            * np.maximum(smoothstep(1.4, -1.4, below_lid), closure**4)
            * self._covers
        )
        for over, weight in ((self._lid, cover), *self._lashes(down, below_lid, closure)):
            skin = _mixed(skin, over, weight)
            shows *= 1 - weight
        levels = np.round(255 * shows[self.opening]).astype(np.uint8)
        return LoweredLids(
            np.round(skin).astype(np.uint8),
            np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2RGB), np.uint8),
        )

    def _stretched(self, down: Array, rise: Array, below_lid: Array, above_lower: Array) -> Array:
        """Skin above and below the eye, drawn along by the lids."""
        upper = np.minimum(0.22 * down, 0.35 * self._room) * self._place
        lower = -rise * (1 - np.clip(-above_lower / (7 * self._mm), 0, 1)) ** 2
        shift = np.where(below_lid < 0, upper, lower) * self._stretches
        source = self._pixels - shift[..., None] * self._shape.axis.across
        return sample(self._patch, source).astype(np.float32)

    def _lashes(
        self, down: Array, below_lid: Array, closure: float
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Colour and weight of the real lashes, which ride on the lid's edge, and of those that
        they give way to as it shuts: lashes seen from above."""
        below_lid_mm = below_lid / np.float32(self._mm)
        source = self._pixels - down[..., None] * self._shape.axis.across
        real = sample(self._patch, source).astype(np.float32)
        real = np.minimum(real, self._lid)  # dark on the lid; nothing of the eye comes along
        strength = min(1.0, 2.5 * closure) * self._has_lashes
        strip = smoothstep(-2.4, -1.2, below_lid_mm) * smoothstep(0.5, 0.0, below_lid_mm)

        edge = np.exp(-((np.minimum(below_lid_mm, 0) / np.float32(0.4)) ** 2))
        softened = np.exp(-((below_lid_mm / np.float32(1.1)) ** 2)) * self._strokes
        fringe = np.where(below_lid_mm > 0, softened, np.float32(1))
        core = np.float32(0.6) * np.exp(-((below_lid_mm / np.float32(0.5)) ** 2))
        drawn = np.maximum(np.float32(0.7) * edge * fringe, core) * strength * np.float32(closure)
        return (real, strip * strength * np.float32(1 - 0.6 * closure)), (self._lash, drawn)


def _mixed(under: Array, over: Array, weight: Array) -> Array:
    """``over`` (h, w, 3) at ``weight`` (h, w) on ``under``, in float."""
    share = np.asarray(weight, np.float32)
    return np.asarray(cv2.blendLinear(over, under, share, 1 - share), np.float32)


def _bounds(mask: NDArray[np.bool_]) -> Span:
    """Rows and columns around what is set; at least one pixel."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return slice(y, y + max(h, 1)), slice(x, x + max(w, 1))
