"""Recipe inputs of the logic goldens; those of the networks are in `ditto.models.recipe_inputs`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.models.recipe import Shape, uniform
from ditto.models.recipe_inputs import drawn, motion_vectors

Array = NDArray[np.float32]


def normal32(name: str, shape: Shape, offset: float = 0.0, scale: float = 1.0) -> Array:
    return drawn(name, shape, "normal", offset, scale)


def uniform32(name: str, shape: Shape, offset: float = 0.0, scale: float = 1.0) -> Array:
    return drawn(name, shape, "uniform", offset, scale)


def source_motion(sources: int) -> Array:
    """The motion frames (sources, 265) of the first sources."""
    return np.concatenate([motion_vectors(f"input:src:vec:{i}", 1) for i in range(sources)])


def source_keypoints(sources: int) -> Array:
    """The canonical keypoints (sources, 63) of the first sources."""
    names = [f"input:src:kp:{i}" for i in range(sources)]
    return np.concatenate([uniform32(name, (1, 63), -0.4, 0.8) for name in names])


def video_frame() -> NDArray[np.uint8]:
    """A frame (540, 720, 3), RGB."""
    base = np.kron(uniform("input:frame:0:base", (8, 8, 3)), np.ones((68, 90, 1)))[:540, :720]
    detail = uniform("input:frame:0:detail", (540, 720, 3))
    return np.clip(255 * (0.8 * base + 0.2 * detail), 0, 255).astype(np.uint8)


def rendered_head() -> Array:
    """A render (512, 512, 3) in 0..255."""
    base = uniform("input:render:base", (32, 32, 3))
    return np.kron(base, np.ones((16, 16, 1))).astype(np.float32) * 255
