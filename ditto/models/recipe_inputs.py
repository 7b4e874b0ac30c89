"""The published recipe's inputs: images, keypoints, motion vectors, diffusion noise."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ditto.models.recipe import Shape, normal, uniform

MOTION_DIM = 265
KEYPOINTS_SHAPE = (1, 21, 3)


def drawn(
    name: str,
    shape: Shape,
    draw: Literal["normal", "uniform"] = "normal",
    offset: float = 0.0,
    scale: float = 1.0,
) -> NDArray[np.float32]:
    """One recipe array: offset + scale * draw, cast once to float32."""
    numbers = normal(name, shape) if draw == "normal" else uniform(name, shape)
    return (offset + scale * numbers).astype(np.float32)


def image(index: int) -> NDArray[np.float32]:
    """A portrait-like image (1, 3, 256, 256), RGB in 0..1: soft 16-pixel blocks with grain."""
    blocks = uniform(f"input:image:{index}:base", (3, 16, 16))
    grain = uniform(f"input:image:{index}:detail", (3, 256, 256))
    return (0.8 * np.kron(blocks, np.ones((1, 16, 16))) + 0.2 * grain)[None].astype(np.float32)


def source_keypoints(index: int) -> NDArray[np.float32]:
    """Source keypoints (1, 21, 3)."""
    return drawn(f"input:kp_source:{index}", KEYPOINTS_SHAPE, "uniform", -0.4, 0.8)


def driving_keypoints(index: int) -> NDArray[np.float32]:
    """Driving keypoints (1, 21, 3): the source's, displaced a little."""
    displacement = 0.05 * normal(f"input:kp_driving:{index}", KEYPOINTS_SHAPE)
    return (source_keypoints(index).astype(np.float64) + displacement).astype(np.float32)


def feature_volume(index: int) -> NDArray[np.float32]:
    """An appearance feature volume (1, 32, 16, 64, 64)."""
    return drawn(f"input:feature_3d:{index}", (1, 32, 16, 64, 64))


def warped_feature(index: int) -> NDArray[np.float32]:
    """A decoder input (1, 256, 64, 64)."""
    return drawn(f"input:feature_2d:{index}", (1, 256, 64, 64), scale=0.5)


def denoiser_input(index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Noisy motion x (1, 80, 265) and the reference motion frame (1, 265) of a denoising case."""
    return (
        drawn(f"input:lmdm:x:{index}", (1, 80, MOTION_DIM)),
        drawn(f"input:lmdm:cond_frame:{index}", (1, MOTION_DIM), scale=0.5),
    )


def condition(index: int) -> NDArray[np.float32]:
    """A condition sequence (1, 80, 1103) of a denoising case."""
    return drawn(f"input:lmdm:cond:{index}", (1, 80, 1103))


def initial_noise() -> NDArray[np.float32]:
    """The noise (1, 80, 265) that the sampling cases start from."""
    return drawn("input:lmdm:x_T", (1, 80, MOTION_DIM))


def step_noises(count: int) -> NDArray[np.float32]:
    """The first `count` step noises of the sampling cases, (count, 1, 80, 265)."""
    names = (f"input:lmdm:noise:{step}" for step in range(count))
    return np.stack([drawn(name, (1, 80, MOTION_DIM)) for name in names])


def motion_vectors(
    name: str, frames: int, pose: float = 4.0, expression: float = 0.05
) -> NDArray[np.float32]:
    """Motion frames (frames, 265) of realistic ranges; scale is stored minus one."""
    numbers = normal(name, (frames, MOTION_DIM))
    numbers[:, 0] = 0.3 + 0.05 * numbers[:, 0]
    numbers[:, 1:199] *= pose
    numbers[:, 199:202] *= 0.05
    numbers[:, 202:] *= expression
    return numbers.astype(np.float32)
