"""Separable heatmaps and translations equal their general forms."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from ditto.models.keypoint_motion import (
    heatmaps,
    identity_grid,
    separable_heatmaps,
    shifted_copies,
)


def test_separable_heatmaps() -> None:
    volume, keypoints = torch.zeros(2, 1, 4, 6, 5), torch.rand(2, 7, 3) - 0.5
    expected = heatmaps(identity_grid(volume), keypoints)
    torch.testing.assert_close(separable_heatmaps(volume, keypoints), expected)


@pytest.mark.parametrize("reach", [0.0, 0.1, 0.8, 3.0])
def test_shifted_copies_equal_grid_sampling(reach: float) -> None:
    volume, shifts = torch.randn(2, 3, 4, 6, 5), reach * torch.randn(2, 7, 3)
    grids = identity_grid(volume) + shifts[:, :, None, None, None]  # (B, K, D, H, W, 3)
    repeated = volume.repeat_interleave(7, dim=0)
    expected = functional.grid_sample(repeated, grids.flatten(0, 1), align_corners=False)
    got = shifted_copies(volume, shifts)
    torch.testing.assert_close(got, expected.view(got.shape), rtol=1e-4, atol=1e-5)
