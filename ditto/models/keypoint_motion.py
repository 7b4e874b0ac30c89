"""Keypoint shifts as motion of a volume: grids, heatmaps and translated copies.

Coordinates run x, y, z over [-1, 1], first to last voxel. B batch, K keypoints, C channels,
D H W volume.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

HEATMAP_VARIANCE = 0.01


def axis_coordinates(size: int, like: Tensor) -> Tensor:
    """Voxel coordinates along one axis, (size,)."""
    return torch.linspace(-1, 1, size, device=like.device, dtype=like.dtype)


def identity_grid(volume: Tensor) -> Tensor:
    """Coordinates of every voxel of a (B, C, D, H, W) volume: (D, H, W, 3), ordered x, y, z."""
    axes = [axis_coordinates(size, volume) for size in volume.shape[2:]]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack((x, y, z), dim=-1)


def heatmaps(grid: Tensor, keypoints: Tensor) -> Tensor:
    """Gaussian bumps: grid (D, H, W, 3), keypoints (B, K, 3), to (B, K, D, H, W)."""
    distance = (grid - keypoints[:, :, None, None, None]).square().sum(-1)
    return torch.exp(-0.5 / HEATMAP_VARIANCE * distance)


def separable_heatmaps(volume: Tensor, keypoints: Tensor) -> Tensor:
    """`heatmaps` of the volume's grid, as products of three one-dimensional bumps."""
    z, y, x = (
        torch.exp(
            -0.5
            / HEATMAP_VARIANCE
            * (axis_coordinates(size, volume) - keypoints[..., axis, None]).square()
        )
        for size, axis in zip(volume.shape[2:], (2, 1, 0), strict=True)
    )
    plane = y[..., :, None] * x[..., None, :]  # (B, K, H, W)
    return z[..., None, None] * plane[:, :, None]  # (B, K, D, H, W)


def shifted_copies(volume: Tensor, shifts: Tensor) -> Tensor:
    """The volume translated once a keypoint: (B, C, D, H, W), (B, K, 3) to (B, K, C, D, H, W).

    Equals `grid_sample` on the shifted identity grid. A translation treats each axis alone, so the
    sampling is three small matrix products. One volume may serve a batch of shifts.
    """
    depth, height, width = (
        _shift_matrices(size, shifts[..., axis], volume)
        for size, axis in zip(volume.shape[2:], (2, 1, 0), strict=True)
    )  # (B, K, size, size) each
    channels, d, h, w = volume.shape[1:]
    x = torch.matmul(volume.view(-1, 1, channels * d * h, w), width.mT)  # (B, K, C*D*H, W)
    x = torch.matmul(height[:, :, None], x.reshape(*x.shape[:2], channels * d, h, w))
    x = torch.matmul(depth[:, :, None], x.reshape(*x.shape[:2], channels, d, h * w))
    return x.reshape(*x.shape[:4], h, w)


def _shift_matrices(size: int, shift: Tensor, like: Tensor) -> Tensor:
    """Linear interpolation along one axis, zero outside: shift (B, K) to (B, K, size, size)."""
    coordinates = axis_coordinates(size, like) + shift[..., None]  # (B, K, size)
    voxels = ((coordinates + 1) * size - 1) / 2
    distance = voxels[..., None] - torch.arange(size, device=like.device, dtype=like.dtype)
    return functional.relu(1 - distance.abs())
