"""Convolutions whose weight is divided by its largest singular value (Miyato et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SpectralConv2d(nn.Module):
    """A "same" 2-D convolution under spectral norm, with the state-dict keys of torch's own hook.

    The singular vectors are read from the checkpoint and not updated: this is for inference.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.weight_orig = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.register_buffer("weight_u", torch.zeros(outputs))
        self.register_buffer("weight_v", torch.zeros(inputs * kernel * kernel))

    def weight(self) -> Tensor:
        """The effective weight, (outputs, inputs, kernel, kernel)."""
        sigma = torch.dot(self.weight_u, torch.mv(self.weight_orig.flatten(1), self.weight_v))
        return self.weight_orig / sigma

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H, W)."""
        padding = self.weight_orig.shape[-1] // 2
        return functional.conv2d(x, self.weight(), self.bias, padding=padding)
