"""The block that the LivePortrait-type networks repeat: convolution, batch norm, rectifier.

B batch, C channels, * spatial axes: H W, or D H W for the volumes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Conv = nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm2d | nn.BatchNorm3d

CONV: dict[int, type[Conv]] = {2: nn.Conv2d, 3: nn.Conv3d}
NORM: dict[int, type[Norm]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class ConvNorm(nn.Module):
    """`rectify(batch_norm(conv(x)))` with "same" padding, in two or three dimensions."""

    def __init__(
        self, axes: int, inputs: int, outputs: int, kernel: int = 3, negative_slope: float = 0.0
    ) -> None:
        super().__init__()
        self.conv: Conv = CONV[axes](inputs, outputs, kernel, padding=kernel // 2)
        self.norm: Norm = NORM[axes](outputs)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *) to (B, C', *)."""
        return rectify(self.norm(self.conv(x)), self.negative_slope)

    def folded(self) -> FoldedConvNorm:
        """The same function with the batch norm inside the convolution's weights."""
        weight, bias = fold_batch_norm(self.conv, self.norm)
        return FoldedConvNorm(weight, bias, self.negative_slope)


class FoldedConvNorm(nn.Module):
    """Inference form of `ConvNorm`."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, negative_slope: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, *) to (B, C', *)."""
        return rectify(convolve(x, self.weight, self.bias), self.negative_slope)


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A "same"-padded convolution in as many dimensions as the weight has."""
    padding = [size // 2 for size in weight.shape[2:]]
    if weight.ndim == 5:
        return functional.conv3d(x, weight, bias, padding=padding)
    return functional.conv2d(x, weight, bias, padding=padding)


def rectify(x: Tensor, negative_slope: float) -> Tensor:
    """ReLU, leaky where a slope is given; overwrites `x`, which every caller has just made."""
    if negative_slope == 0.0:
        return functional.relu_(x)
    return functional.leaky_relu_(x, negative_slope)


def fold_batch_norm(conv: Conv, norm: Norm) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that equals `norm(conv(x))` in eval mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert conv.bias is not None
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    weight = conv.weight.double() * gain.view(-1, *[1] * (conv.weight.ndim - 1))
    bias = (conv.bias.double() - norm.running_mean.double()) * gain + norm.bias.double()
    return weight.float().detach(), bias.float().detach()
