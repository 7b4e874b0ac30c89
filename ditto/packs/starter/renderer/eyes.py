"""Moves lids and irises: an eye's patch of the texture, repainted."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.face.sampling import blend
from ditto.packs.starter.renderer.curves import smoothstep
from ditto.packs.starter.renderer.eye_plates import EyeLayers, EyeShape
from ditto.packs.starter.renderer.eyelids import Eyelids, LoweredLids
from ditto.packs.starter.renderer.texture import SCALE

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

_GAZE_ACROSS = 0.4
_GAZE_UP = 0.26
"""Shift of the iris at full gaze, over half the eye's width."""
_GAZE_ONSET = 0.2
"""Gaze from which the ball is repainted in full; below, it melts into the picture's own eye."""
_REST = 2e-3
"""Gaze below this is not drawn."""
_CLOSURES = 64
"""Steps from open to shut. One is a quarter of a HEAD pixel."""
_KEPT_CLOSURES = 32


class Eye:
    """One eye of a portrait; painting never changes what it paints."""

    def __init__(self, shape: EyeShape, layers: EyeLayers, texture: Image) -> None:
        x0, y0, x1, y1 = shape.box
        self.corner = x0, y0
        """Where the patch lies in the texture."""
        self._patch = np.ascontiguousarray(texture[y0:y1, x0:x1])
        lids = Eyelids(shape, layers, self._patch)
        self._opening = rows, columns = lids.opening
        half = SCALE * shape.axis.half_width
        self._across = _GAZE_ACROSS * half * shape.axis.along
        self._upwards = -_GAZE_UP * half * shape.axis.across
        self._origin = np.array([columns.start, rows.start], np.float32)
        self._iris = layers.iris
        self._white = np.ascontiguousarray(layers.white[rows, columns])
        self._still = np.ascontiguousarray(self._patch[rows, columns])
        inset = np.minimum(shape.below_upper, -shape.below_lower)[rows, columns]
        self._ball = smoothstep(0.4, 4.0, inset) * (shape.across < 1)[rows, columns]

        @lru_cache(maxsize=_KEPT_CLOSURES)
        def lowered(level: int) -> LoweredLids:
            return lids.lowered(level / _CLOSURES)

        self._lowered = lowered

    def paint(self, closure: float, gaze_x: float, gaze_y: float) -> Image | None:
        """The patch (h, w, 3) with the lid closed by ``closure`` 0..1 and the iris turned; None
        when nothing moves."""
        level = round(closure * _CLOSURES)
        gaze = float(np.hypot(gaze_x, gaze_y))
        if level == 0 and gaze < _REST:
            return None
        ball = self._turned(gaze_x, gaze_y, gaze) if gaze >= _REST else self._still
        if level:
            return self._lowered(level).over(ball, self._opening)
        eye = self._patch.copy()
        eye[self._opening] = ball
        return eye

    def _turned(self, gaze_x: float, gaze_y: float, gaze: float) -> Image:
        """The opening (h', w', 3) with nothing before the ball."""
        shift = gaze_x * self._across + gaze_y * self._upwards - self._origin
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        iris = np.asarray(cv2.warpAffine(self._iris, move, self._ball.shape[::-1]), np.uint8)
        alpha = cv2.extractChannel(iris, 3).astype(np.float32) / np.float32(255)
        rgb = np.asarray(cv2.cvtColor(iris, cv2.COLOR_RGBA2RGB), np.uint8)
        ball = blend(self._white, rgb, alpha)
        return blend(self._still, ball, self._ball * smoothstep(0, _GAZE_ONSET, gaze))
