"""The training losses of the motion model (paper 3.2.2, equations 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Losses:
    """Mean squared errors of x0 and of its first and second differences."""

    position: Tensor
    velocity: Tensor
    acceleration: Tensor

    def total(self, velocity_weight: float = 1.0, acceleration_weight: float = 0.5) -> Tensor:
        weighted = velocity_weight * self.velocity + acceleration_weight * self.acceleration
        return self.position + weighted


def motion_losses(predicted: Tensor, target: Tensor, weight: Tensor, block_frames: int) -> Losses:
    """Losses of windows (B, N, C) that were denoised block by block; weight (B, N, C).

    Differences run over each block's first border as well, where the frames before it are shown and
    exact: that is what keeps segments together.
    """
    error = (predicted - target).unflatten(1, (-1, block_frames))  # B blocks K C
    bordered = pad(error, (0, 0, 2, 0))  # two exact frames before each block
    velocity = bordered.diff(dim=2)[:, :, 1:]
    acceleration = bordered.diff(n=2, dim=2)
    weights = weight.unflatten(1, (-1, block_frames))
    return Losses(
        (weights * error**2).mean(),
        (weights * velocity**2).mean(),
        (weights * acceleration**2).mean(),
    )
