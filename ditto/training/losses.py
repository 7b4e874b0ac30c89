"""The training losses of the motion model (paper 3.2.2, equations 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BORDER_WEIGHT = 3.0
"""Of the velocity from the last shown frame to a block's first."""


@dataclass(frozen=True)
class Losses:
    """Mean squared errors of x0 and of its first and second differences."""

    position: Tensor
    velocity: Tensor
    acceleration: Tensor

    def total(self, velocity_weight: float = 1.0, acceleration_weight: float = 0.5) -> Tensor:
        weighted = velocity_weight * self.velocity + acceleration_weight * self.acceleration
        return self.position + weighted


def motion_losses(
    predicted: Tensor,
    target: Tensor,
    shown: Tensor,
    weight: Tensor,
    calmness: Tensor,
    block_frames: int,
) -> Losses:
    """Losses of windows (B, N, C) that were denoised block by block; weight (B, N, C).

    calmness (C,) weights differences: what moves slowly must be smooth to a finer measure.

    Differences run over each block's first border as well, starting from the frames that the block
    was shown: where those are off, a smooth return to the target is asked for, not a jump. The
    first block of a window counts as shown alone.
    """
    size, frames, width = target.shape
    blocks = (size, frames // block_frames, block_frames, width)
    error = (predicted - target).view(blocks)  # B blocks K C
    shown_error = (shown - target).view(blocks)
    error, before = error[:, 1:], shown_error[:, :-1, -2:]  # the first block has nothing before it
    bordered = torch.cat([before, error], dim=2)
    velocity = bordered.diff(dim=2)[:, :, 1:]  # B blocks K C
    acceleration = bordered.diff(n=2, dim=2)
    weights = weight.view(blocks)[:, 1:]
    border = torch.ones(block_frames, 1, device=error.device)
    border[0] = BORDER_WEIGHT
    return Losses(
        (weights * error**2).mean(),
        (weights * calmness * border * velocity**2).mean(),
        (weights * calmness * acceleration**2).mean(),
    )
