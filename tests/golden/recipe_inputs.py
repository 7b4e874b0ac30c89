"""Inputs of the golden files, drawn by name: the same name gives the same numbers everywhere.

One PCG64 generator per name, seeded with the crc32 of the name; arithmetic in float64, one cast to
float32 at the end. Golden files therefore hold results only.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from ditto.motion.layout import ANGLE_BINS, MOTION_DIM

Array = NDArray[np.float32]
Float64 = NDArray[np.float64]


def _generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode("utf-8"))))


def normal(name: str, shape: tuple[int, ...]) -> Float64:
    """Standard normal draws (shape)."""
    return _generator(name).standard_normal(size=shape)


def uniform(name: str, shape: tuple[int, ...]) -> Float64:
    """Uniform draws in [0, 1), (shape)."""
    return _generator(name).random(size=shape)


def normal32(name: str, shape: tuple[int, ...], offset: float = 0.0, scale: float = 1.0) -> Array:
    """``offset + scale * normal`` as float32."""
    return (offset + scale * normal(name, shape)).astype(np.float32)


def uniform32(name: str, shape: tuple[int, ...], offset: float = 0.0, scale: float = 1.0) -> Array:
    """``offset + scale * uniform`` as float32."""
    return (offset + scale * uniform(name, shape)).astype(np.float32)


def motion_frames(name: str, frames: int, pose: float = 4.0, exp: float = 0.05) -> Array:
    """Motion frames (frames, 265) of a lifelike range."""
    vectors = normal(name, (frames, MOTION_DIM))
    pose_end = 1 + 3 * ANGLE_BINS
    vectors[:, 0] = 0.3 + 0.05 * vectors[:, 0]
    vectors[:, 1:pose_end] *= pose
    vectors[:, pose_end : pose_end + 3] *= 0.05
    vectors[:, pose_end + 3 :] *= exp
    return vectors.astype(np.float32)


def source_motion(index: int) -> Array:
    """The motion frame (265,) of source ``index``."""
    return motion_frames(f"input:src:vec:{index}", 1)[0]


def source_keypoints(index: int) -> Array:
    """The canonical keypoints (63,) of source ``index``."""
    return uniform32(f"input:src:kp:{index}", (1, 63), -0.4, 0.8)[0]


def image(index: int) -> Array:
    """A portrait-sized image (1, 3, 256, 256) in 0..1."""
    base = np.kron(uniform(f"input:image:{index}:base", (3, 16, 16)), np.ones((1, 16, 16)))
    detail = uniform(f"input:image:{index}:detail", (3, 256, 256))
    return (0.8 * base + 0.2 * detail)[None].astype(np.float32)


def frame(index: int = 0) -> NDArray[np.uint8]:
    """A video frame (540, 720, 3), uint8 RGB."""
    base = uniform(f"input:frame:{index}:base", (8, 8, 3))
    detail = uniform(f"input:frame:{index}:detail", (540, 720, 3))
    base_up = np.kron(base, np.ones((68, 90, 1)))[:540, :720]
    return np.clip(255 * (0.8 * base_up + 0.2 * detail), 0, 255).astype(np.uint8)


def render() -> Array:
    """A rendered head (512, 512, 3), float32 in 0..255."""
    base = uniform("input:render:base", (32, 32, 3))
    return np.kron(base, np.ones((16, 16, 1))).astype(np.float32) * 255
