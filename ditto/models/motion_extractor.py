"""Motion extractor M: a portrait to its pose, expression and canonical keypoints (paper 3.1).

The backbone is ConvNeXt V2 (Woo et al. 2023). B batch, C channels, H W feature map.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

EPS = 1e-6


@dataclass(frozen=True)
class MotionExtractorParams:
    """Sizes of the network; the defaults are the released ones (ConvNeXt V2 tiny)."""

    depths: tuple[int, ...] = (3, 3, 9, 3)
    widths: tuple[int, ...] = (96, 192, 384, 768)
    keypoints: int = 21
    pose_bins: int = 66


class SourceMotion(NamedTuple):
    """The seven heads, in the order of the released graph's outputs."""

    pitch: Tensor
    """(B, 66) logits of the pitch bins."""
    yaw: Tensor
    """(B, 66) logits of the yaw bins."""
    roll: Tensor
    """(B, 66) logits of the roll bins."""
    t: Tensor
    """(B, 3) translation."""
    exp: Tensor
    """(B, 63) expression deltas of the keypoints."""
    scale: Tensor
    """(B, 1)."""
    kp: Tensor
    """(B, 63) canonical keypoints."""


class ChannelsFirstLayerNorm(nn.LayerNorm):
    """Layer norm over the channels of a (B, C, H, W) map."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GlobalResponseNorm(nn.Module):
    """Lets channels compete by their energy over the whole map (ConvNeXt V2, section 3.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape."""
        energy = x.square().sum((1, 2), keepdim=True).sqrt()  # (B, 1, 1, C)
        share = energy / (energy.mean(-1, keepdim=True) + EPS)
        return torch.addcmul(self.beta, x, self.gamma * share + 1)


class ConvNextBlock(nn.Module):
    """Depthwise 7x7, then a two-layer perceptron per pixel, with a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.grn = GlobalResponseNorm(4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        y: Tensor = self.dwconv(x).permute(0, 2, 3, 1)  # (B, H, W, C)
        y = functional.gelu(self.pwconv1(self.norm(y)))  # (B, H, W, 4C)
        y = self.pwconv2(self.grn(y))  # (B, H, W, C)
        return x + y.permute(0, 3, 1, 2)


class ConvNextHeads(nn.Module):
    """The backbone with a linear head for each part of the motion."""

    def __init__(self, params: MotionExtractorParams) -> None:
        super().__init__()
        widths = params.widths
        stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 4, stride=4), ChannelsFirstLayerNorm(widths[0], eps=EPS)
        )
        shrinks = [
            nn.Sequential(
                ChannelsFirstLayerNorm(narrow, eps=EPS), nn.Conv2d(narrow, wide, 2, stride=2)
            )
            for narrow, wide in pairwise(widths)
        ]
        self.downsample_layers = nn.ModuleList([stem, *shrinks])
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNextBlock(width) for _ in range(depth)))
            for width, depth in zip(widths, params.depths, strict=True)
        )
        self.norm = nn.LayerNorm(widths[-1], eps=EPS)
        self.fc_kp = nn.Linear(widths[-1], 3 * params.keypoints)
        self.fc_scale = nn.Linear(widths[-1], 1)
        self.fc_pitch = nn.Linear(widths[-1], params.pose_bins)
        self.fc_yaw = nn.Linear(widths[-1], params.pose_bins)
        self.fc_roll = nn.Linear(widths[-1], params.pose_bins)
        self.fc_t = nn.Linear(widths[-1], 3)
        self.fc_exp = nn.Linear(widths[-1], 3 * params.keypoints)

    def forward(self, image: Tensor) -> SourceMotion:
        """(B, 3, H, W) to the seven heads."""
        x = image
        for shrink, stage in zip(self.downsample_layers, self.stages, strict=True):
            x = stage(shrink(x))  # (B, 768, H/32, W/32) after the last
        pooled = self.norm(x.mean((2, 3)))  # (B, 768)
        return SourceMotion(
            pitch=self.fc_pitch(pooled),
            yaw=self.fc_yaw(pooled),
            roll=self.fc_roll(pooled),
            t=self.fc_t(pooled),
            exp=self.fc_exp(pooled),
            scale=self.fc_scale(pooled),
            kp=self.fc_kp(pooled),
        )


class MotionExtractor(nn.Module):
    """Image (B, 3, H, W), RGB in 0..1, to its `SourceMotion`."""

    def __init__(self, params: MotionExtractorParams | None = None) -> None:
        super().__init__()
        self.params = params or MotionExtractorParams()
        self.detector = ConvNextHeads(self.params)

    def forward(self, image: Tensor) -> SourceMotion:
        """(B, 3, H, W) to the seven heads."""
        assert image.ndim == 4, f"image must be (B, 3, H, W), got {tuple(image.shape)}"
        assert image.shape[1] == 3, f"image must be RGB, got {image.shape[1]} channels"
        heads: SourceMotion = self.detector(image)
        return heads
