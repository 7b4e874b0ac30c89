"""Dense motion: from keypoint shifts to a deformation of the whole volume and an occlusion map.

B batch, K keypoints, M = K + 1 candidate motions (the first stands still), C channels,
D H W volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.models.hourglass import Hourglass
from ditto.models.keypoint_motion import heatmaps, identity_grid


@dataclass(frozen=True)
class DenseMotionParams:
    """Sizes of the network; the defaults are the released ones."""

    keypoints: int = 21
    volume_channels: int = 32
    volume_depth: int = 16
    compressed_channels: int = 4
    base_channels: int = 32
    max_channels: int = 1024
    levels: int = 5


class DenseMotion(NamedTuple):
    """What moves where."""

    mask: Tensor
    """(B, M, D, H, W) weight of every candidate motion; sums to one over M."""
    deformation: Tensor
    """(B, D, H, W, 3) where each voxel is fetched from."""
    occlusion_map: Tensor
    """(B, 1, H, W), 0 where the source does not show what is needed, up to 1."""


class DenseMotionNetwork(nn.Module):
    """Feature volume and keypoints to a `DenseMotion`."""

    def __init__(self, params: DenseMotionParams) -> None:
        super().__init__()
        p = params
        motions = p.keypoints + 1
        inputs = motions * (p.compressed_channels + 1)
        features = p.base_channels + inputs
        self.hourglass = Hourglass(inputs, p.base_channels, p.levels, p.max_channels)
        self.mask = nn.Conv3d(features, motions, 7, padding=3)
        self.compress = nn.Conv3d(p.volume_channels, p.compressed_channels, 1)
        self.norm = nn.BatchNorm3d(p.compressed_channels)
        self.occlusion = nn.Conv2d(features * p.volume_depth, 1, 7, padding=3)

    def forward(self, feature_3d: Tensor, kp_source: Tensor, kp_driving: Tensor) -> DenseMotion:
        """(B, C, D, H, W), (B, K, 3), (B, K, 3) to the dense motion."""
        compressed = functional.relu(self.norm(self.compress(feature_3d)))  # (B, 4, D, H, W)
        grid = identity_grid(feature_3d)  # (D, H, W, 3)
        still = torch.zeros_like(kp_source[:, :1])
        shifts = torch.cat((still, kp_source - kp_driving), dim=1)  # (B, M, 3)
        candidates = grid + shifts[:, :, None, None, None]  # (B, M, D, H, W, 3)
        moved = functional.grid_sample(
            compressed.repeat_interleave(shifts.shape[1], dim=0),
            candidates.flatten(0, 1),
            align_corners=False,
        )  # (B*M, 4, D, H, W)
        moved = moved.view(*candidates.shape[:2], *moved.shape[1:])  # (B, M, 4, D, H, W)
        bumps = heatmaps(grid, kp_driving) - heatmaps(grid, kp_source)  # (B, K, D, H, W)
        bumps = functional.pad(bumps, (0, 0, 0, 0, 0, 0, 1, 0))  # (B, M, D, H, W)
        evidence = torch.cat((bumps[:, :, None], moved), dim=2).flatten(1, 2)  # (B, 5M, D, H, W)
        features = self.hourglass(evidence)  # (B, 142, D, H, W)
        mask = self.mask(features).softmax(dim=1)  # (B, M, D, H, W)
        deformation = (mask[..., None] * candidates).sum(1)  # (B, D, H, W, 3)
        occlusion_map = self.occlusion(features.flatten(1, 2)).sigmoid()  # (B, 1, H, W)
        return DenseMotion(mask, deformation, occlusion_map)


def check_warp_inputs(params: DenseMotionParams, feature_3d: Tensor, *keypoints: Tensor) -> None:
    """Assert the shapes of a warp's inputs."""
    expected = (params.volume_channels, params.volume_depth)
    assert feature_3d.ndim == 5, f"feature_3d must be (B, C, D, H, W): {tuple(feature_3d.shape)}"
    assert feature_3d.shape[1:3] == expected, f"feature_3d must have C, D = {expected}"
    for points in keypoints:
        assert points.shape[1:] == (params.keypoints, 3), (
            f"keypoints must be (B, {params.keypoints}, 3), got {tuple(points.shape)}"
        )
