"""HuBERT, the speech encoder, as published: convolutions to 50 tokens a second, then a transformer.

The large variant (Hsu et al. 2021): layer-normed convolutions and pre-norm layers. State-dict names
are those of the published checkpoints.

B batch, N samples, T tokens, P prefix tokens, C convolution channels, D width, H heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

TOKENS_PER_SECOND = 50


@dataclass(frozen=True)
class HubertParams:
    """Sizes of the network; the defaults are those of HuBERT large."""

    conv_channels: int = 512
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    width: int = 1024
    heads: int = 16
    hidden: int = 4096
    layers: int = 24
    position_kernel: int = 128
    position_groups: int = 16

    def tokens_of(self, samples: int) -> int:
        """Tokens that so many samples give."""
        for kernel, stride in zip(self.conv_kernels, self.conv_strides, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples


class KeysValues(NamedTuple):
    """One layer's attention memory of tokens that came before."""

    keys: Tensor
    """(B, H, P, D / H)"""
    values: Tensor
    """(B, H, P, D / H)"""


class ConvLayer(nn.Module):
    """Convolution, layer norm over channels, GELU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.layer_norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, N) to (B, C', N')."""
        normed: Tensor = self.layer_norm(self.conv(x).transpose(1, 2))
        return functional.gelu(normed.transpose(1, 2))


class FeatureExtractor(nn.Module):
    """Samples (B, N) to convolution features (B, T, C)."""

    def __init__(self, params: HubertParams) -> None:
        super().__init__()
        shapes = zip(params.conv_kernels, params.conv_strides, strict=True)
        self.conv_layers = nn.ModuleList(
            ConvLayer(params.conv_channels if index else 1, params.conv_channels, kernel, stride)
            for index, (kernel, stride) in enumerate(shapes)
        )

    def forward(self, samples: Tensor) -> Tensor:
        """(B, N) to (B, T, C)."""
        x = samples[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x.transpose(1, 2)


class FeatureProjection(nn.Module):
    """Convolution features (B, T, C) to tokens (B, T, D)."""

    def __init__(self, params: HubertParams) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(params.conv_channels)
        self.projection = nn.Linear(params.conv_channels, params.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) to (B, T, D)."""
        return cast(Tensor, self.projection(self.layer_norm(x)))


class WeightNormConv(nn.Module):
    """Grouped convolution whose weight is a direction and a length for every kernel position."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight_g = nn.Parameter(torch.ones(1, 1, kernel))
        self.weight_v = nn.Parameter(torch.randn(width, width // groups, kernel) * 0.02)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) to (B, D, T or T + 1)."""
        weight = self.weight()
        padding = weight.shape[-1] // 2
        return functional.conv1d(x, weight, self.bias, padding=padding, groups=self.groups)

    def weight(self) -> Tensor:
        """(D, D / groups, kernel)."""
        length = self.weight_v.square().sum((0, 1)).sqrt()
        return self.weight_v * (self.weight_g / length)

    def folded(self) -> nn.Conv1d:
        """The same as an ordinary convolution."""
        width, _, kernel = self.weight_v.shape
        conv = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=self.groups)
        conv.load_state_dict({"weight": self.weight(), "bias": self.bias})
        return conv


class PositionalConv(nn.Module):
    """What stands for positions: each token's neighbourhood, through one wide convolution."""

    def __init__(self, params: HubertParams) -> None:
        super().__init__()
        self.conv = WeightNormConv(params.width, params.position_kernel, params.position_groups)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B, T, D)."""
        placed: Tensor = self.conv(x.transpose(1, 2)).transpose(1, 2)  # (B, T or T + 1, D)
        return functional.gelu(placed[:, : x.shape[1]])  # an even kernel gives one too many


class Attention(nn.Module):
    """Multi-head attention to earlier tokens' memory and to the tokens themselves."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(
        self, x: Tensor, mask: Tensor | None, before: KeysValues | None
    ) -> tuple[Tensor, KeysValues]:
        """(B, T, D), mask (T, P + T) True where looking is allowed; also the tokens' own memory."""
        own = KeysValues(self._split(self.k_proj(x)), self._split(self.v_proj(x)))
        keys, values = own
        if before is not None:
            keys = torch.cat((before.keys.expand(len(x), -1, -1, -1), keys), dim=2)
            values = torch.cat((before.values.expand(len(x), -1, -1, -1), values), dim=2)
        queries = self._split(self.q_proj(x))
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), own

    def _split(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B, H, T, D / H)."""
        heads = (self.heads, x.shape[2] // self.heads)
        return x.view(x.shape[0], x.shape[1], *heads).transpose(1, 2)


class FeedForward(nn.Module):
    """Two-layer perceptron."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(width, hidden)
        self.output_dense = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same shape."""
        return cast(Tensor, self.output_dense(functional.gelu(self.intermediate_dense(x))))


class Layer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, params: HubertParams) -> None:
        super().__init__()
        self.attention = Attention(params.width, params.heads)
        self.layer_norm = nn.LayerNorm(params.width)
        self.feed_forward = FeedForward(params.width, params.hidden)
        self.final_layer_norm = nn.LayerNorm(params.width)

    def forward(
        self, x: Tensor, mask: Tensor | None, before: KeysValues | None
    ) -> tuple[Tensor, KeysValues]:
        """(B, T, D) to the same shape, and the tokens' own attention memory."""
        mixed, own = self.attention(self.layer_norm(x), mask, before)
        x = x + mixed
        return x + self.feed_forward(self.final_layer_norm(x)), own


class Encoder(nn.Module):
    """Tokens to tokens in context."""

    def __init__(self, params: HubertParams) -> None:
        super().__init__()
        self.pos_conv_embed = PositionalConv(params)
        self.layer_norm = nn.LayerNorm(params.width)
        self.layers = nn.ModuleList(Layer(params) for _ in range(params.layers))

    def forward(
        self, x: Tensor, mask: Tensor | None, before: Sequence[KeysValues] | None
    ) -> tuple[Tensor, list[KeysValues]]:
        """Placed tokens (B, T, D) to (B, T, D), and every layer's memory of them."""
        memory: list[KeysValues] = []
        for index, layer in enumerate(self.layers):
            x, own = layer(x, mask, None if before is None else before[index])
            memory.append(own)
        return self.layer_norm(x), memory


class Hubert(nn.Module):
    """Samples (B, N) at 16 kHz to speech tokens (B, T, D), 50 a second."""

    def __init__(self, params: HubertParams | None = None) -> None:
        super().__init__()
        self.params = params or HubertParams()
        self.feature_extractor = FeatureExtractor(self.params)
        self.feature_projection = FeatureProjection(self.params)
        self.encoder = Encoder(self.params)

    def forward(
        self,
        samples: Tensor,
        mask: Tensor | None = None,
        before: Sequence[KeysValues] | None = None,
    ) -> Tensor:
        """(B, N) to (B, T, D). Without a mask every token sees all others."""
        return cast(Tensor, self.encoder(self.place(samples), mask, before)[0])

    def place(self, samples: Tensor) -> Tensor:
        """Samples (B, N) to tokens that know their neighbourhood, (B, T, D), not yet in context."""
        assert samples.ndim == 2, f"samples must be (B, N), got {tuple(samples.shape)}"
        tokens: Tensor = self.feature_projection(self.feature_extractor(samples))
        return tokens + cast(Tensor, self.encoder.pos_conv_embed(tokens))
