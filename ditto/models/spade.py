"""SPADE: normalise a map, then scale and shift it by what another map says (Park et al. 2019).

B batch, C channels, H W map, S channels of the guiding map.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ditto.models.spectral_norm import SpectralConv2d

LEAK = 0.2


class Spade(nn.Module):
    """Instance norm whose scale and shift are painted by a guiding map."""

    def __init__(self, channels: int, guide_channels: int, hidden: int) -> None:
        super().__init__()
        self.mlp_shared = nn.Sequential(nn.Conv2d(guide_channels, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and a guide of any size (B, S, h, w) to (B, C, H, W)."""
        shared = self.mlp_shared(functional.interpolate(guide, size=x.shape[2:]))
        painted: Tensor = self.mlp_gamma(shared) + 1
        shift: Tensor = self.mlp_beta(shared)
        return functional.instance_norm(x) * painted + shift


class SpadeBlock(nn.Module):
    """Residual block of two SPADE-normalised convolutions."""

    def __init__(self, inputs: int, outputs: int, guide_channels: int, hidden: int) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.conv_0 = SpectralConv2d(inputs, middle, 3)
        self.conv_1 = SpectralConv2d(middle, outputs, 3)
        self.has_shortcut_weights = inputs != outputs
        if self.has_shortcut_weights:
            self.conv_s = SpectralConv2d(inputs, outputs, 1, bias=False)
        self.norm_0 = Spade(inputs, guide_channels, hidden)
        self.norm_1 = Spade(middle, guide_channels, hidden)
        if self.has_shortcut_weights:
            self.norm_s = Spade(inputs, guide_channels, hidden)

    def forward(self, x: Tensor, guide: Tensor) -> Tensor:
        """(B, C, H, W) and a guide (B, S, h, w) to (B, C', H, W)."""
        shortcut = self.conv_s(self.norm_s(x, guide)) if self.has_shortcut_weights else x
        hidden = self.conv_0(functional.leaky_relu(self.norm_0(x, guide), LEAK))
        change: Tensor = self.conv_1(functional.leaky_relu(self.norm_1(hidden, guide), LEAK))
        return shortcut + change
