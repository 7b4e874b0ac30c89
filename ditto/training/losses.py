"""The training losses of motion (paper 3.2.2, equations 4 to 6).

A loss table has a row for each of `TERMS` and a column for each motion number.
"""

from __future__ import annotations

import torch
from torch import Tensor

TERMS = ("x0", "velocity", "acceleration", "initial")
BORDER_WEIGHT = 3.0
"""Of the velocity from the last shown frame to a block's first."""


def block_losses(
    predicted: Tensor,
    target: Tensor,
    shown: Tensor,
    weight: Tensor,
    calmness: Tensor,
    block_frames: int,
) -> Tensor:
    """Losses (4, C) of windows (B, N, C) that were denoised block by block; weight (B, N, C).

    calmness (C,) weights differences: what moves slowly must be smooth to a finer measure.

    Differences run over each block's first border as well, starting from the frames that the block
    was shown: where those are off, a smooth return to the target is asked for, not a jump. That
    border is this network's initial motion (equation 6), so the fourth row is 0. The first block of
    a window counts as shown alone.
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
    position = _column_means(weights * error**2)
    return torch.stack(
        [
            position,
            _column_means(weights * calmness * border * velocity**2),
            _column_means(weights * calmness * acceleration**2),
            torch.zeros_like(position),
        ]
    )


def segment_losses(predicted: Tensor, target: Tensor, initial: Tensor, weight: Tensor) -> Tensor:
    """Losses (4, M) of whole segments (B, T, M) behind initial motion (B, M); weight (M,)."""
    error = predicted - target
    return weight * torch.stack(
        [
            _column_means(error**2),
            _column_means(error.diff(dim=1) ** 2),
            _column_means(error.diff(n=2, dim=1) ** 2),
            _column_means((predicted[:, 0] - initial) ** 2),
        ]
    )


def _column_means(values: Tensor) -> Tensor:
    return values.flatten(0, -2).mean(0)
