"""Warping network W: moves a portrait's feature volume as the driving keypoints say (paper 3.1).

B batch, K keypoints, C channels, D H W volume.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ditto.models.conv_blocks import ConvNorm
from ditto.models.dense_motion import (
    DenseMotion,
    DenseMotionNetwork,
    DenseMotionParams,
    check_warp_inputs,
)
from ditto.models.warp_folded import FoldedWarpNetwork

LEAK = 0.01


@dataclass(frozen=True)
class WarpNetworkParams(DenseMotionParams):
    """Sizes of the network; the defaults are the released ones."""

    out_channels: int = 256


class WarpNetwork(nn.Module):
    """Feature volume, source and driving keypoints to the decoder's input (B, 256, H, W)."""

    def __init__(self, params: WarpNetworkParams | None = None) -> None:
        super().__init__()
        self.params = p = params or WarpNetworkParams()
        self.dense_motion_network = DenseMotionNetwork(p)
        depth_as_channels = p.volume_channels * p.volume_depth
        self.third = ConvNorm(2, depth_as_channels, p.out_channels, negative_slope=LEAK)
        self.fourth = nn.Conv2d(p.out_channels, p.out_channels, 1)

    def forward(self, feature_3d: Tensor, kp_source: Tensor, kp_driving: Tensor) -> Tensor:
        """(B, C, D, H, W), (B, K, 3), (B, K, 3) to (B, 256, H, W)."""
        return self.warp_with_motion(feature_3d, kp_source, kp_driving)[0]

    def warp_with_motion(
        self, feature_3d: Tensor, kp_source: Tensor, kp_driving: Tensor
    ) -> tuple[Tensor, DenseMotion]:
        """As `forward`, with the dense motion beside it."""
        check_warp_inputs(self.params, feature_3d, kp_source, kp_driving)
        motion: DenseMotion = self.dense_motion_network(feature_3d, kp_source, kp_driving)
        moved = functional.grid_sample(feature_3d, motion.deformation, align_corners=False)
        out = self.fourth(self.third(moved.flatten(1, 2)))  # (B, 256, H, W)
        return out * motion.occlusion_map, motion

    def folded(self) -> FoldedWarpNetwork:
        """The inference form, which can keep what depends on the source alone."""
        return FoldedWarpNetwork(self.params, self.dense_motion_network, self.third, self.fourth)
