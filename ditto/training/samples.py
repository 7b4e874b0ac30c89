"""Rendered frames of generated motion, to look at while a model trains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.motion import layout
from ditto.stages import Array, Image, Renderer

COUNT = 8
SIDE = 192


class Sampler:
    """One portrait, rendered with whatever motion."""

    def __init__(self, renderer: Renderer[Any], portrait: Image) -> None:
        self._renderer = renderer
        self._portrait = renderer.prepare(portrait)

    def frames(self, motion: Array) -> NDArray[np.uint8]:
        """(COUNT, SIDE, SIDE, 3) at moments spread over motion (T, 265), which counts from a face
        that looks straight ahead."""
        picked = layout.unpack(motion[np.linspace(0, len(motion) - 1, COUNT).astype(int)])
        home = layout.unpack(self._portrait.identity.reference_motion[None])
        placed = replace(
            picked,
            pitch=home.pitch + picked.pitch,
            yaw=home.yaw + picked.yaw,
            roll=home.roll + picked.roll,
        )
        pictures = [
            self._renderer.render_head(self._portrait.appearance, frame)
            for frame in layout.pack(placed)
        ]
        small = [cv2.resize(picture, (SIDE, SIDE)) for picture in pictures]
        return np.stack(small).astype(np.uint8)
