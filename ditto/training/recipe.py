"""Every number and switch of a training run, for the starter's network and the full-size one."""

from __future__ import annotations

from dataclasses import dataclass, replace


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
    epoch_steps: int = 0
    """After which they are renewed; 0: one pass over the data."""
    flip: bool = True
    """Half of the windows are mirrored (paper 3.2.2)."""
    temporal_losses: bool = True
    """Velocity and acceleration (paper 3.2.2, equation 5)."""
    mouth_smoothness: float = 0.35
    """Share of the velocity and acceleration losses that the mouth gets: lips must be quick."""
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

SHORT = Recipe(steps=480, batch=16, epoch_steps=24, learning_rate=2e-3, mouth_smoothness=1.0)
"""A quarter of the steps on half of the windows, with as many renewals of the loss weights."""

ABLATIONS: dict[str, Recipe] = {
    "full": SHORT,
    "no-adaptive-weights": replace(SHORT, adaptive_weights=False),
    "no-flip": replace(SHORT, flip=False),
    "no-velocity-acceleration": replace(SHORT, temporal_losses=False),
    "no-clean-prefix": replace(SHORT, clean_prefix=False),
    "no-canonical-keypoints": replace(SHORT, canonical_keypoints=False),
    "no-emotion": replace(SHORT, emotion=False),
    "adan": replace(SHORT, optimiser="adan"),
    "adan-paper-rate": replace(SHORT, optimiser="adan", learning_rate=1e-4),
}
"""The recipe with one thing changed (paper, Table 4), by the name that reports carry."""
