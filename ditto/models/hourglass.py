"""The U-shaped network inside dense motion: depth is kept, height and width shrink and grow back.

B batch, C channels, D H W volume.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.models.conv_blocks import ConvNorm, FoldedConvNorm, fold_batch_norm
from ditto.models.folding import fold
from ditto.models.nearest_conv import conv_of_doubled, doubled_kernels


class Encoder(nn.Module):
    """Halves height and width once a level, and keeps every level for the skips."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList(
            ConvNorm(3, inputs, outputs) for inputs, outputs in pairwise(widths)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, C, D, H, W) to levels + 1 maps, finest first."""
        levels = [x]
        for block in self.down_blocks:
            levels.append(functional.avg_pool3d(block(levels[-1]), (1, 2, 2)))
        return levels


class UpConvNorm(ConvNorm):
    """A `ConvNorm` on a volume whose height and width are doubled first."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) to (B, C', D, 2H, 2W)."""
        return super().forward(functional.interpolate(x, scale_factor=(1, 2, 2)))

    def folded(self) -> FoldedConvNorm:
        """Batch norm in the weights, and the doubled volume never made."""
        weight, bias = fold_batch_norm(self.conv, self.norm)
        return FoldedUpConvNorm(doubled_kernels(weight), bias.repeat(4), self.negative_slope)


class FoldedUpConvNorm(FoldedConvNorm):
    """Inference form of `UpConvNorm`."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) to (B, C', D, 2H, 2W)."""
        return functional.relu_(conv_of_doubled(x, self.weight, self.bias))


class Decoder(nn.Module):
    """Grows the coarsest volume back, joining each finer level of the encoder on its way."""

    def __init__(self, inputs: list[int], outputs: list[int], final: int) -> None:
        super().__init__()
        self.up_blocks = nn.Sequential(
            *(UpConvNorm(3, wide, narrow) for wide, narrow in zip(inputs, outputs, strict=True))
        )
        self.conv = nn.Conv3d(final, final, 3, padding=1)
        self.norm = nn.BatchNorm3d(final)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Levels, finest first, to (B, final, D, H, W)."""
        return functional.relu_(self.norm(self.conv(grow(self.up_blocks, levels))))

    def folded(self) -> FoldedDecoder:
        """Batch norms in the weights, doubled volumes never made."""
        return FoldedDecoder(self)


class FoldedDecoder(nn.Module):
    """Inference form of `Decoder`."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.up_blocks = nn.Sequential(*(fold(block) for block in decoder.up_blocks))
        self.last = FoldedConvNorm(*fold_batch_norm(decoder.conv, decoder.norm), negative_slope=0.0)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """Levels, finest first, to (B, final, D, H, W)."""
        out: Tensor = self.last(grow(self.up_blocks, levels))
        return out


def grow(up_blocks: Iterable[nn.Module], levels: list[Tensor]) -> Tensor:
    """The coarsest level, enlarged block by block, each result joined with its skip."""
    x = levels[-1]
    for block, skip in zip(up_blocks, levels[-2::-1], strict=True):
        x = torch.cat((block(x), skip), dim=1)
    return x


class Hourglass(nn.Module):
    """(B, C, D, H, W) to (B, base + C, D, H, W)."""

    def __init__(self, inputs: int, base: int, levels: int, maximum: int) -> None:
        super().__init__()
        widths = [min(maximum, base * 2**level) for level in range(levels + 1)]
        self.encoder = Encoder([inputs, *widths[1:]])
        coarse_first = widths[::-1]  # 1024 ... 64 32
        joined = [coarse_first[0], *(2 * width for width in coarse_first[1:-1])]
        self.decoder = Decoder(joined, coarse_first[1:], base + inputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, D, H, W) to (B, base + C, D, H, W)."""
        out: Tensor = self.decoder(self.encoder(x))
        return out
