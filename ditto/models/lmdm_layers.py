"""Layers of the motion diffusion transformer: rotary attention, FiLM, encoder and decoder layers.

B batch, T query tokens, N key tokens, D width, H heads, C = D / H.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

ROTARY_BASE = 10_000.0


class Rotary(nn.Module):
    """Rotary position embedding across the full width, pairs interleaved (Su et al. 2021)."""

    freqs: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        exponents = torch.arange(0, width, 2).float() / width
        self.register_buffer("freqs", 1.0 / ROTARY_BASE**exponents)

    def forward(self, x: Tensor) -> Tensor:
        """Rotate each token of (B, T, D) by its position, counted from 0."""
        return rotate(x, self.turns(x.shape[1]))

    def turns(self, tokens: int) -> Tensor:
        """Cosines and sines of the angles of the first positions: (2, T, D / 2)."""
        positions = torch.arange(tokens, device=self.freqs.device, dtype=self.freqs.dtype)
        angles = positions[:, None] * self.freqs
        return torch.stack((angles.cos(), angles.sin()))


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Rotate the channel pairs of (B, T, D) by `turns` (2, T, D / 2)."""
    cos, sin = turns
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack((first * cos - second * sin, second * cos + first * sin), -1).flatten(-2)


class Attention(nn.Module):
    """Multi-head attention; keys and queries come rotated, values do not."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(B, T, D), (B, N, D), (B, N, D) to (B, T, D)."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            split_heads(functional.linear(x, weight, bias), self.heads)
            for x, weight, bias in zip((queries, keys, values), weights, biases, strict=True)
        )  # (B, H, T or N, C)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return cast(Tensor, self.out_proj(merge_heads(mixed)))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) to (B, H, T, C)."""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, T, C) to (B, T, D)."""
    return x.transpose(1, 2).flatten(2)


class Film(nn.Module):
    """Scale and shift of every channel by a vector (Perez et al. 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Mish(), nn.Linear(width, 2 * width))

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """(B, T, D) and a vector (B, D) to (B, T, D)."""
        block: Tensor = self.block(vector)[:, None]
        scale, shift = block.chunk(2, dim=-1)  # (B, 1, D) each
        return (scale + 1) * x + shift


class EncoderLayer(nn.Module):
    """Pre-norm self-attention and perceptron."""

    def __init__(self, width: int, heads: int, hidden: int, rotary: Rotary) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.rotary = rotary

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same shape."""
        y = self.norm1(x)
        turned = self.rotary(y)
        x = x + self.self_attn(turned, turned, y)
        y = functional.gelu(self.linear1(self.norm2(x)))
        return x + cast(Tensor, self.linear2(y))


class DecoderLayer(nn.Module):
    """Pre-norm self-attention, cross-attention and perceptron, each modulated by a vector."""

    def __init__(self, width: int, heads: int, hidden: int, rotary: Rotary) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.multihead_attn = Attention(width, heads)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.film1 = Film(width)
        self.film2 = Film(width)
        self.film3 = Film(width)
        self.rotary = rotary

    def forward(self, x: Tensor, memory: Tensor, vector: Tensor) -> Tensor:
        """x (B, T, D), memory (B, N, D), vector (B, D) to (B, T, D)."""
        y = self.norm1(x)
        turned = self.rotary(y)
        x = x + self.film1(self.self_attn(turned, turned, y), vector)
        turned = self.rotary(self.norm2(x))
        y = self.multihead_attn(turned, self.rotary(memory), memory)
        x = x + self.film2(y, vector)
        y = self.linear2(functional.gelu(self.linear1(self.norm3(x))))
        return x + cast(Tensor, self.film3(y, vector))
