"""Decoder G: a warped feature map to pixels (paper 3.1).

B batch, C channels, H W map (64 in the released network).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from ditto.models.decoder_folded import FoldedDecoder
from ditto.models.spade import LEAK, SpadeBlock


@dataclass(frozen=True)
class DecoderParams:
    """Sizes of the network; the defaults are the released ones."""

    in_channels: int = 256
    width: int = 512
    up_widths: tuple[int, int] = (256, 64)
    hidden: int = 128
    middle_blocks: int = 6


class Decoder(nn.Module):
    """Warped feature (B, 256, H, W) to RGB in 0..1, (B, 3, 8H, 8W)."""

    def __init__(self, params: DecoderParams | None = None) -> None:
        super().__init__()
        self.params = p = params or DecoderParams()
        self.fc = nn.Conv2d(p.in_channels, p.width, 3, padding=1)
        for index in range(p.middle_blocks):
            block = SpadeBlock(p.width, p.width, p.in_channels, p.hidden)
            self.add_module(f"G_middle_{index}", block)
        self.up_0 = SpadeBlock(p.width, p.up_widths[0], p.in_channels, p.hidden)
        self.up_1 = SpadeBlock(p.up_widths[0], p.up_widths[1], p.in_channels, p.hidden)
        self.conv_img = nn.Sequential(
            nn.Conv2d(p.up_widths[1], 12, 3, padding=1), nn.PixelShuffle(2)
        )

    def forward(self, feature: Tensor) -> Tensor:
        """(B, 256, H, W) to (B, 3, 8H, 8W)."""
        check_decoder_input(self.params, feature)
        x = self.fc(feature)  # (B, 512, H, W)
        for block in self.middle_blocks():
            x = block(x, feature)
        x = self.up_0(functional.interpolate(x, scale_factor=2), feature)  # (B, 256, 2H, 2W)
        x = self.up_1(functional.interpolate(x, scale_factor=2), feature)  # (B, 64, 4H, 4W)
        pixels: Tensor = self.conv_img(functional.leaky_relu(x, LEAK))  # (B, 3, 8H, 8W)
        return pixels.sigmoid()

    def middle_blocks(self) -> list[SpadeBlock]:
        """The blocks that keep size and width."""
        names = [f"G_middle_{index}" for index in range(self.params.middle_blocks)]
        blocks = [self.get_submodule(name) for name in names]
        return [block for block in blocks if isinstance(block, SpadeBlock)]

    def folded(self) -> FoldedDecoder:
        """The inference form: same picture, about a fifth fewer multiplications."""
        return FoldedDecoder(self.fc, self.middle_blocks(), self.up_0, self.up_1, self.conv_img)


def check_decoder_input(params: DecoderParams, feature: Tensor) -> None:
    """Assert the shape of a decoder's input."""
    assert feature.ndim == 4, f"feature must be (B, C, H, W), got {tuple(feature.shape)}"
    assert feature.shape[1] == params.in_channels, (
        f"feature must have {params.in_channels} channels"
    )
