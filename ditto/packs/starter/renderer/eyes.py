"""Moves lids and irises: an eye's patch of the texture, repainted before the face is warped."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import blend, sample
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.eye_plates import LASH_BAND_MM, EyeLayers, EyeShape
from ditto.packs.starter.renderer.texture import SCALE

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_GAZE_ACROSS = 0.4
_GAZE_UP = 0.26
"""Shift of the iris at full gaze, over half the eye's width."""
_GAZE_ONSET = 0.2
"""Gaze from which the ball is repainted in full; below, it melts into the picture's own eye."""
_LOWER_LID_SHARE = 0.07
"""How much of a blink the lower lid does."""


class Eye:
    """One eye of a portrait; painting never changes it."""

    def __init__(self, shape: EyeShape, layers: EyeLayers, texture: Image) -> None:
        x0, y0, x1, y1 = shape.box
        self.area = np.s_[y0:y1, x0:x1]
        """Where the patch lies in the texture."""
        self._shape = shape
        self._layers = layers
        self._patch = np.ascontiguousarray(texture[self.area])
        self._mm = SCALE * shape.mm
        self._height = SCALE * shape.axis.to_row(shape.grid)[..., 1].astype(np.float32)
        h, w = self._patch.shape[:2]
        self._pixels = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32)
        inset = np.minimum(shape.below_upper, -shape.below_lower)
        self._inside = (shape.across < 1).astype(np.float32)
        self._ball = smoothstep(0.4, 4.0, inset) * self._inside
        self._keep_lid()

    def _keep_lid(self) -> None:
        """What every closure shares: where the lid stretches, covers, and has its lashes."""
        shape, layers, mm = self._shape, self._layers, self._mm
        across, band = shape.across, LASH_BAND_MM * mm
        brow = SCALE * shape.brow_height
        self._room = np.maximum(self._height - shape.below_upper - band - brow, 1)
        self._place = np.clip((self._height - brow) / self._room, 0, 1) ** 2
        self._stretches = smoothstep(1.3, 1.0, across)
        self._was_open = smoothstep(-1.0, 1.0, shape.below_upper)
        self._over_lashes = smoothstep(-0.5 * band, 0.5 * band, shape.below_upper + 0.8 * band)
        self._covers = smoothstep(1.08, 0.94, across)
        self._has_lashes = smoothstep(1.04, 0.75, across)
        self._lid = layers.lid[..., :3].astype(np.float32)
        self._strokes = layers.lid[..., 3].astype(np.float32) / np.float32(255)
        self._lash = np.broadcast_to(layers.lash, self._lid.shape).astype(np.float32)
        self._black = np.zeros_like(self._lid)

    def paint(self, closure: float, gaze_x: float, gaze_y: float) -> Image:
        """The patch (h, w, 3) with the lid closed by ``closure`` 0..1 and the iris turned."""
        ball = self._turned(gaze_x, gaze_y) if abs(gaze_x) + abs(gaze_y) > 1e-3 else self._patch
        return self._lowered(ball, closure) if closure > 1e-3 else ball

    def _turned(self, gaze_x: float, gaze_y: float) -> Image:
        axis = self._shape.axis
        half = SCALE * axis.half_width
        shift = gaze_x * _GAZE_ACROSS * half * axis.along - gaze_y * _GAZE_UP * half * axis.across
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        size = self._patch.shape[1::-1]
        iris = np.asarray(cv2.warpAffine(self._layers.iris, move, size), np.uint8)
        alpha = iris[..., 3].astype(np.float32) / np.float32(255)
        ball = blend(self._layers.white, iris[..., :3], alpha)
        onset = smoothstep(0, _GAZE_ONSET, float(np.hypot(gaze_x, gaze_y)))
        return blend(self._patch, ball, self._ball * onset)

    def _lowered(self, ball: Image, closure: float) -> Image:
        """Upper lid down to the lower one, which rises a little."""
        shape, mm = self._shape, self._mm
        rise = _LOWER_LID_SHARE * closure * shape.open_px
        down = closure * ((1 - _LOWER_LID_SHARE) * shape.open_px + 0.3 * mm)
        below_lid = (shape.below_upper - down).astype(np.float32)
        above_lower = (-shape.below_lower - rise).astype(np.float32)

        out = self._stretched(down, rise, below_lid, above_lower)
        visible = smoothstep(-1.2, 2.0, below_lid) * smoothstep(-0.6, 2.0, above_lower)
        shade = 1 - np.float32(0.3 * closure) * np.exp(np.maximum(below_lid, 0) / np.float32(-6))
        out = _mix(out, _mix(self._black, ball.astype(np.float32), shade), visible * self._inside)

        strength = min(1.0, 2.5 * closure)
        cover = (
            np.maximum(self._was_open, strength * self._over_lashes)
            * smoothstep(1.6 * mm, 0.0, -above_lower)
            * np.maximum(smoothstep(1.4, -1.4, below_lid), closure**4)
            * self._covers
        )
        out = _mix(out, self._lid, cover)
        out = self._with_lashes(out, down, below_lid, closure)
        return out.astype(np.uint8)

    def _stretched(self, down: Array, rise: Array, below_lid: Array, above_lower: Array) -> Array:
        """Skin above and below the eye, drawn along by the lids."""
        upper = np.minimum(0.22 * down, 0.35 * self._room) * self._place
        lower = -rise * (1 - np.clip(-above_lower / (7 * self._mm), 0, 1)) ** 2
        shift = np.where(below_lid < 0, upper, lower) * self._stretches
        source = self._pixels - shift[..., None] * self._shape.axis.across
        return sample(self._patch, source).astype(np.float32)

    def _with_lashes(self, skin: Array, down: Array, below_lid: Array, closure: float) -> Array:
        """Real lashes ride on the lid's edge; as it shuts they give way to lashes seen from
        above."""
        below_lid_mm = below_lid / np.float32(self._mm)
        source = self._pixels - down[..., None] * self._shape.axis.across
        lashes = sample(self._patch, source).astype(np.float32)
        lashes = np.minimum(lashes, self._lid)  # dark on the lid; nothing of the eye comes along
        strength = min(1.0, 2.5 * closure) * self._has_lashes
        strip = smoothstep(-2.4, -1.2, below_lid_mm) * smoothstep(0.5, 0.0, below_lid_mm)
        skin = _mix(skin, lashes, strip * strength * np.float32(1 - 0.6 * closure))

        edge = np.exp(-((np.minimum(below_lid_mm, 0) / np.float32(0.4)) ** 2))
        softened = np.exp(-((below_lid_mm / np.float32(1.1)) ** 2)) * self._strokes
        fringe = np.where(below_lid_mm > 0, softened, np.float32(1))
        core = np.float32(0.6) * np.exp(-((below_lid_mm / np.float32(0.5)) ** 2))
        drawn = np.maximum(np.float32(0.7) * edge * fringe, core) * strength * np.float32(closure)
        return _mix(skin, self._lash, drawn)


def _mix(under: Array, over: Array, weight: Array) -> Array:
    """``over`` (h, w, 3) at ``weight`` (h, w) on ``under``, in float."""
    share = np.asarray(weight, np.float32)
    return np.asarray(cv2.blendLinear(over, under, share, 1 - share), np.float32)
