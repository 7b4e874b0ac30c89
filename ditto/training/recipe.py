"""Every number and switch of a training run, for the starter's network and the full-size one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """What, with the data, decides the weights; the defaults are the starter's."""

    steps: int = 2000
    batch: int = 32
    """Windows a step, over all processes."""
    window_frames: int = 40
    optimiser: str = "adamw"
    """`adamw` or `adan`. The paper trains with Adan at 1e-4 (4.1); see docs/training.md for why the
    small network does not."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up_share: float = 0.08
    ema: float = 0.995
    """Weight of the past in the average of the weights, which is what gets judged and served."""
    precision: str = "float32"
    """`float32`, `bfloat16` or `float16`: of the matrix products, by autocast."""
    guidance_drop: float = 0.1
    """Share of conditions left out, for classifier-free guidance."""
    prefix_noise: float = 0.04
    """Largest SD of the noise on shown frames, in standardised units."""
    prefix_bias: float = 0.3
    """Largest SD of an offset that shown frames share: teaches the way back, so nothing drifts."""
    own_prefix_share: float = 0.6
    """Share of windows whose shown frames are the network's own, as they are at run time."""
    audio_noise: float = 0.5
    """Largest SD of the noise on features, in their own SDs."""
    pure_noise_share: float = 0.5
    """Share of blocks trained at a noise level near 1: where one-step sampling starts and ends."""
    adaptive_weights: bool = True
    """Loss weights of control regions follow how their losses fall (paper 3.2.2)."""
    flip: bool = True
    """Half of the windows are mirrored (paper 3.2.2)."""
    temporal_losses: bool = True
    """Velocity and acceleration (paper 3.2.2, equation 5)."""
    clean_prefix: bool = True
    """Blocks see the frames shown before them."""
    canonical_keypoints: bool = True
    """The condition c_ref (paper 3.2.1)."""
    emotion: bool = True
    """The condition s (paper 3.2.1)."""
    seed: int = 0


FULL_SIZE = Recipe(
    steps=200_000,
    batch=1024,
    window_frames=80,
    optimiser="adan",
    learning_rate=1e-4,
    warm_up_share=0.01,
    ema=0.9999,
    audio_noise=0.0,
)
"""The published setting of the full-size network (paper 4.1), in steps in place of epochs."""

ABLATIONS: dict[str, Recipe] = {
    "full": Recipe(),
    "no-adaptive-weights": Recipe(adaptive_weights=False),
    "no-flip": Recipe(flip=False),
    "no-velocity-acceleration": Recipe(temporal_losses=False),
    "no-clean-prefix": Recipe(clean_prefix=False),
    "no-canonical-keypoints": Recipe(canonical_keypoints=False),
    "no-emotion": Recipe(emotion=False),
    "adan": Recipe(optimiser="adan", learning_rate=1e-3),
    "adan-paper-rate": Recipe(optimiser="adan", learning_rate=1e-4),
}
"""The recipe with one thing changed (paper, Table 4), by the name that reports carry."""


def ablation(name: str, seed: int, length: Mapping[str, Any]) -> Recipe:
    """One of `ABLATIONS` with a seed; length: ``steps`` and, where given, ``batch``."""
    return replace(ABLATIONS[name], seed=seed, **length)
