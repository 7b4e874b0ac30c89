"""Inference form of the warp: the source's share of the work is done once a portrait.

B batch, K keypoints, M = K + 1 candidate motions (the first stands still), C channels,
D H W volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.models.conv_blocks import ConvNorm, FoldedConvNorm, fold_batch_norm
from ditto.models.dense_motion import DenseMotionNetwork, DenseMotionParams, check_warp_inputs
from ditto.models.folding import fold
from ditto.models.keypoint_motion import identity_grid, separable_heatmaps, shifted_copies


@dataclass(frozen=True)
class WarpSource:
    """What the warp needs of a portrait, to be kept with the avatar."""

    feature_3d: Tensor
    """(B, C, D, H, W) appearance features."""
    keypoints: Tensor
    """(B, K, 3)."""
    compressed: Tensor
    """(B, 4, D, H, W) the features that dense motion looks at."""
    still: Tensor
    """(B, 1, 5, D, H, W) evidence for the motion that stands still."""
    bumps: Tensor
    """(B, K, D, H, W) heatmaps of the source keypoints."""
    grid: Tensor
    """(D, H, W, 3) identity grid."""


class FoldedWarpNetwork(nn.Module):
    """Feature volume, source and driving keypoints to the decoder's input (B, 256, H, W)."""

    def __init__(
        self,
        params: DenseMotionParams,
        motion: DenseMotionNetwork,
        third: ConvNorm,
        fourth: nn.Conv2d,
    ) -> None:
        super().__init__()
        self.params = params
        self.compress = FoldedConvNorm(*fold_batch_norm(motion.compress, motion.norm), 0.0)
        self.hourglass = fold(motion.hourglass)
        self.mask = motion.mask
        self.occlusion = motion.occlusion
        self.third = third.folded()
        self.fourth = fourth

    def prepare(self, feature_3d: Tensor, kp_source: Tensor) -> WarpSource:
        """The source's share: (B, C, D, H, W) and (B, K, 3)."""
        check_warp_inputs(self.params, feature_3d, kp_source)
        compressed = self.compress(feature_3d)  # (B, 4, D, H, W)
        still = shifted_copies(compressed, torch.zeros_like(kp_source[:, :1]))
        return WarpSource(
            feature_3d=feature_3d,
            keypoints=kp_source,
            compressed=compressed,
            still=functional.pad(still, (0, 0, 0, 0, 0, 0, 1, 0)),
            bumps=separable_heatmaps(feature_3d, kp_source),
            grid=identity_grid(feature_3d),
        )

    def warp(self, source: WarpSource, kp_driving: Tensor) -> Tensor:
        """The frame's share: (N, K, 3) to (N, 256, H, W). The source's batch is N or 1."""
        shifts = source.keypoints - kp_driving  # (N, K, 3)
        features = self.hourglass(self._evidence(source, shifts, kp_driving))  # (N, 142, D, H, W)
        mask = self.mask(features).softmax(dim=1)  # (N, M, D, H, W)
        # The mask sums to one, so the identity grid needs no weights.
        moved_by = torch.einsum("nkdhw,nkc->ndhwc", mask[:, 1:], shifts)
        occlusion_map = self.occlusion(features.flatten(1, 2)).sigmoid()  # (N, 1, H, W)
        volume = source.feature_3d.expand(shifts.shape[0], -1, -1, -1, -1)
        moved = functional.grid_sample(volume, source.grid + moved_by, align_corners=False)
        out: Tensor = self.fourth(self.third(moved.flatten(1, 2)))  # (N, 256, H, W)
        visible: Tensor = out * occlusion_map
        return visible

    def forward(self, feature_3d: Tensor, kp_source: Tensor, kp_driving: Tensor) -> Tensor:
        """(B, C, D, H, W), (B, K, 3), (B, K, 3) to (B, 256, H, W)."""
        check_warp_inputs(self.params, feature_3d, kp_source, kp_driving)
        return self.warp(self.prepare(feature_3d, kp_source), kp_driving)

    def _evidence(self, source: WarpSource, shifts: Tensor, kp_driving: Tensor) -> Tensor:
        """What each candidate motion would look like, (N, 5M, D, H, W)."""
        bumps = separable_heatmaps(source.feature_3d, kp_driving) - source.bumps
        copies = shifted_copies(source.compressed, shifts)  # (N, K, 4, D, H, W)
        moving = torch.cat((bumps[:, :, None], copies), dim=2)  # (N, K, 5, D, H, W)
        still = source.still.expand(shifts.shape[0], -1, -1, -1, -1, -1)
        return torch.cat((still, moving), dim=1).flatten(1, 2)
