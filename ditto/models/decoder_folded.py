"""Inference form of the decoder.

Spectral norms are divided out, scale and shift of a SPADE are one convolution, maps that several
SPADEs share are normalised once and at their smallest size, and convolutions of enlarged maps run
on the small map. Maps are channels-last, which convolutions of few channels prefer.

B batch, C channels, H W map, S hidden channels of a SPADE.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.models.conv_blocks import convolve
from ditto.models.nearest_conv import ConvOfQuadrupled, conv_of_doubled, doubled_kernels, interleave
from ditto.models.spade import LEAK, Spade, SpadeBlock
from ditto.models.spectral_norm import SpectralConv2d


class Conv(nn.Module):
    """A "same" convolution with fixed weights."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("weight", weight.detach())
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H, W)."""
        return convolve(x, self.weight, self.bias)


class FoldedSpadeBlock(nn.Module):
    """Inference form of `SpadeBlock`, given its normalised input and its SPADEs' hidden maps."""

    def __init__(self, block: SpadeBlock) -> None:
        super().__init__()
        self.paint_0 = _paint(block.norm_0)
        self.conv_0 = _divide(block.conv_0)
        self.paint_1 = _paint(block.norm_1)
        self.conv_1 = _divide(block.conv_1)
        if block.has_shortcut_weights:
            self.conv_s = _divide(block.conv_s)
            self.paint_s = _paint_shortcut(block.norm_s, self.conv_s.weight)

    def forward(self, normalised: Tensor, shared: Sequence[Tensor]) -> Tensor:
        """What the block adds to its shortcut; shared: hidden maps (B, S, H, W) of norm 0 and 1."""
        hidden = self.conv_0(_modulate(normalised, self.paint_0(shared[0])))
        change: Tensor = self.conv_1(_modulate(normalise(hidden), self.paint_1(shared[1])))
        return change

    def shortcut(self, normalised: Tensor, shared: Tensor) -> Tensor:
        """`conv_s(norm_s(x))` of a block that changes width; shared: hidden map of norm s."""
        painted: Tensor = self.paint_s(shared)
        scale, shift = painted.split_with_sizes(
            [normalised.shape[1], painted.shape[1] - normalised.shape[1]], dim=1
        )
        through: Tensor = self.conv_s(normalised * scale)
        return through.add_(shift)


class FoldedDecoder(nn.Module):
    """Warped feature (B, 256, H, W) to RGB in 0..1, (B, 3, 8H, 8W)."""

    shared_up_0: Tensor
    shared_up_0_bias: Tensor

    def __init__(
        self,
        fc: nn.Conv2d,
        middle: Sequence[SpadeBlock],
        up_0: SpadeBlock,
        up_1: SpadeBlock,
        conv_img: nn.Sequential,
    ) -> None:
        super().__init__()
        self.fc = fc
        self.shared_middle = Conv(
            *_shared([norm for block in middle for norm in (block.norm_0, block.norm_1)])
        )
        self.middle = nn.ModuleList(FoldedSpadeBlock(block) for block in middle)
        weight, bias = _shared([up_0.norm_0, up_0.norm_1, up_0.norm_s])
        self.register_buffer("shared_up_0", doubled_kernels(weight))
        self.register_buffer("shared_up_0_bias", bias.repeat(4))
        self.up_0 = FoldedSpadeBlock(up_0)
        self.shared_up_1 = ConvOfQuadrupled(*_shared([up_1.norm_0, up_1.norm_1, up_1.norm_s]))
        self.up_1 = FoldedSpadeBlock(up_1)
        self.conv_img = conv_img
        for weight in (*self.parameters(), *self.buffers()):
            if weight.ndim == 4:
                weight.data = weight.contiguous(memory_format=torch.channels_last)

    def forward(self, feature: Tensor) -> Tensor:
        """(B, 256, H, W) to (B, 3, 8H, 8W)."""
        feature = feature.contiguous(memory_format=torch.channels_last)
        x: Tensor = self.fc(feature)  # (B, 512, H, W)
        shared = functional.relu_(self.shared_middle(feature)).chunk(2 * len(self.middle), dim=1)
        for index, block in enumerate(self.middle):
            x = x + block(normalise(x), shared[2 * index : 2 * index + 2])
        doubled = functional.relu_(
            conv_of_doubled(feature, self.shared_up_0, self.shared_up_0_bias)
        )  # (B, 3 S, 2H, 2W)
        x = _enlarge(self.up_0, x, doubled.chunk(3, dim=1))  # (B, 256, 2H, 2W)
        quadrupled = functional.relu_(_repeat_centre(self.shared_up_1(feature)))
        x = _enlarge(self.up_1, x, quadrupled.chunk(3, dim=1))  # (B, 64, 4H, 4W)
        pixels: Tensor = self.conv_img(functional.leaky_relu_(x, LEAK))  # (B, 3, 8H, 8W)
        return pixels.sigmoid().contiguous()


def normalise(x: Tensor) -> Tensor:
    """Instance norm without weights, (B, C, H, W).

    For one sample it is batch norm by the batch's own statistics, which keeps channels-last maps as
    they are and is ten times faster on a CPU.
    """
    if torch.compiler.is_exporting():
        return functional.instance_norm(x)
    samples = [functional.batch_norm(one, None, None, training=True) for one in x[:, None]]
    return torch.cat(samples) if len(samples) > 1 else samples[0]


def _enlarge(block: FoldedSpadeBlock, x: Tensor, shared: Sequence[Tensor]) -> Tensor:
    """The block on `x` enlarged twice: statistics of an enlarged map are those of the map."""
    normalised = functional.interpolate(normalise(x), scale_factor=2)
    change: Tensor = block(normalised, shared)
    return change.add_(block.shortcut(normalised, shared[2]))


def _repeat_centre(kinds: list[list[Tensor]]) -> Tensor:
    """Nine kinds (B, C, H, W) to the enlarged map (B, C, 4H, 4W)."""
    return interleave(
        [[row[0], row[1], row[1], row[2]] for row in (kinds[i] for i in (0, 1, 1, 2))]
    )


def _modulate(normalised: Tensor, painted: Tensor) -> Tensor:
    """Scale and shift (B, 2C, H, W) on a normalised map (B, C, H, W), then the leaky rectifier."""
    scale, shift = painted.chunk(2, dim=1)
    return functional.leaky_relu_(torch.addcmul(shift, normalised, scale), LEAK)


def _divide(conv: SpectralConv2d) -> Conv:
    return Conv(conv.weight(), conv.bias)


def _paint(norm: Spade) -> Conv:
    """Scale (one plus gamma) and shift of a SPADE as one convolution of its hidden map."""
    gamma, beta = norm.mlp_gamma, norm.mlp_beta
    assert gamma.bias is not None
    assert beta.bias is not None
    return Conv(torch.cat((gamma.weight, beta.weight)), torch.cat((gamma.bias + 1, beta.bias)))


def _paint_shortcut(norm: Spade, pointwise: Tensor) -> Conv:
    """As `_paint`, with the shift already taken through the 1x1 convolution that follows."""
    gamma, beta = norm.mlp_gamma, norm.mlp_beta
    assert gamma.bias is not None
    assert beta.bias is not None
    through = pointwise[:, :, 0, 0].double()
    weight = torch.einsum("oc,cijk->oijk", through, beta.weight.double()).float()
    bias = (through @ beta.bias.double()).float()
    return Conv(torch.cat((gamma.weight, weight)), torch.cat((gamma.bias + 1, bias)))


def _shared(norms: Sequence[Spade]) -> tuple[Tensor, Tensor]:
    """The first convolutions of several SPADEs as one: weight and bias."""
    weights, biases = [], []
    for norm in norms:
        conv = norm.mlp_shared[0]
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        weights.append(conv.weight)
        biases.append(conv.bias)
    return torch.cat(weights), torch.cat(biases)
