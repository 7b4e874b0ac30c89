"""Appearance extractor F: a portrait to the feature volume that the warp moves (paper 3.1).

B batch, H W image size (256 in the released network), C channels, D depth of the volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from ditto.models.conv_blocks import ConvNorm, FoldedConvNorm, convolve, fold_batch_norm


@dataclass(frozen=True)
class AppearanceExtractorParams:
    """Sizes of the network; the defaults are the released ones."""

    base_channels: int = 64
    max_channels: int = 512
    down_blocks: int = 2
    volume_channels: int = 32
    volume_depth: int = 16
    residual_blocks: int = 6


class ResidualBlock3d(nn.Module):
    """Pre-activation residual block on a volume."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm3d(channels)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) to the same shape."""
        hidden = self.conv1(functional.relu(self.norm1(x)))
        change: Tensor = self.conv2(functional.relu(self.norm2(hidden)))
        return x + change

    def folded(self) -> nn.Module:
        """The second batch norm moves into the first convolution."""
        return FoldedResidualBlock3d(self)


class FoldedResidualBlock3d(nn.Module):
    """Inference form of `ResidualBlock3d`."""

    def __init__(self, block: ResidualBlock3d) -> None:
        super().__init__()
        self.norm1 = block.norm1
        self.conv1 = FoldedConvNorm(*fold_batch_norm(block.conv1, block.norm2), negative_slope=0.0)
        self.conv2 = block.conv2

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) to the same shape."""
        hidden = self.conv1(functional.relu_(self.norm1(x)))
        return convolve(hidden, self.conv2.weight, self.conv2.bias).add_(x)


class AppearanceExtractor(nn.Module):
    """Image (B, 3, H, W), RGB in 0..1, to a feature volume (B, C, D, H/4, W/4)."""

    def __init__(self, params: AppearanceExtractorParams | None = None) -> None:
        super().__init__()
        self.params = p = params or AppearanceExtractorParams()
        widths = [min(p.base_channels * 2**i, p.max_channels) for i in range(p.down_blocks + 1)]
        self.first = ConvNorm(2, 3, widths[0])
        self.down_blocks = nn.ModuleList(
            ConvNorm(2, narrow, wide) for narrow, wide in pairwise(widths)
        )
        self.second = nn.Conv2d(widths[-1], p.volume_channels * p.volume_depth, 1)
        self.resblocks_3d = nn.Sequential()
        for index in range(p.residual_blocks):
            self.resblocks_3d.add_module(f"3dr{index}", ResidualBlock3d(p.volume_channels))

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, C, D, H/4, W/4)."""
        assert image.ndim == 4, f"image must be (B, 3, H, W), got {tuple(image.shape)}"
        assert image.shape[1] == 3, f"image must be RGB, got {image.shape[1]} channels"
        x = self.first(image)  # (B, 64, H, W)
        for block in self.down_blocks:
            x = functional.avg_pool2d(block(x), 2)  # (B, 256, H/4, W/4) after the last
        x = self.second(x)  # (B, C*D, H/4, W/4)
        volume = x.unflatten(1, (self.params.volume_channels, self.params.volume_depth))
        refined: Tensor = self.resblocks_3d(volume)  # (B, C, D, H/4, W/4)
        return refined
