"""A motion decoder layer arranged for sampling: cross-attention memory and modulation are given.

Tokens come first, so that all heads of all rows are one strided batch of small products:
T tokens, R guidance branches (1 where they still agree, else 2), B batch, D width, H heads,
C = D / H, A = R B H attention rows, N memory tokens.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ditto.models.lmdm_layers import DecoderLayer, rotate
from ditto.models.packed_linear import PackedLinear


class SegmentLayer(nn.Module):
    """Inference form of a `DecoderLayer`."""

    def __init__(self, layer: DecoderLayer) -> None:
        super().__init__()
        self.heads = layer.self_attn.heads
        self.norm1, self.norm2, self.norm3 = layer.norm1, layer.norm2, layer.norm3
        width = layer.linear1.in_features
        per_head = (self.heads, 1, width // self.heads)
        scale = (width // self.heads) ** -0.5
        weights, biases = _parts(layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias)
        self.queries_keys = PackedLinear(
            torch.cat(
                [w.view(*per_head, width) for w in (weights[0] * scale, weights[1])], 1
            ).flatten(0, 2),
            torch.cat([b.view(*per_head) for b in (biases[0] * scale, biases[1])], 1).flatten(),
        )
        self.values = PackedLinear(weights[2], biases[2])
        self.self_out = packed(layer.self_attn.out_proj)
        weights, biases = _parts(
            layer.multihead_attn.in_proj_weight, layer.multihead_attn.in_proj_bias
        )
        self.cross_queries = PackedLinear(weights[0] * scale, biases[0] * scale)
        self.cross_out = packed(layer.multihead_attn.out_proj)
        self.expand = PackedLinear(layer.linear1.weight, layer.linear1.bias, gelu=True)
        self.contract = packed(layer.linear2)

    def forward(
        self, x: Tensor, turns: Tensor, keys: Tensor, values: Tensor, films: Tensor
    ) -> Tensor:
        """x (T, R, B, D), keys (A, C, N), values (N, A, C), films (3, 2, 2, B, D), to (T, 2, B, D).

        A film is (scale plus one or shift, branch, batch, channel).
        """
        x = modulate(x, self.attend_to_motion(x, turns), films[0])
        x = modulate(x, self.attend_to_memory(x, turns, keys, values), films[1])
        return modulate(x, self.contract(self.expand(self.norm3(x))), films[2])

    def attend_to_motion(self, x: Tensor, turns: Tensor) -> Tensor:
        """Self-attention's result, (T, R, B, D) to the same shape."""
        y = self.norm1(x)
        both = self.queries_keys(turn(y, turns)).view(x.shape[0], -1, 2, x.shape[-1] // self.heads)
        values = self.values(y).view(x.shape[0], -1, x.shape[-1] // self.heads)  # (T, A, C)
        mixed = attend(both[:, :, 0].transpose(0, 1), both[:, :, 1].permute(1, 2, 0), values)
        return cast(Tensor, self.self_out(mixed.view(x.shape)))

    def attend_to_memory(self, x: Tensor, turns: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Cross-attention's result, (T, 2, B, D) to the same shape."""
        queries = self.cross_queries(turn(self.norm2(x), turns)).view(x.shape[0], keys.shape[0], -1)
        mixed = attend(queries.transpose(0, 1), keys, values)
        return cast(Tensor, self.cross_out(mixed.view(x.shape)))


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Scaled queries (A, T, C), keys (A, C, N) and values (N, A, C) to (T, A, C)."""
    shares = torch.bmm(queries, keys).softmax(-1)  # (A, T, N)
    return torch.bmm(shares, values.transpose(0, 1)).transpose(0, 1).contiguous()


def modulate(x: Tensor, y: Tensor, film: Tensor) -> Tensor:
    """`x + scale * y + shift`: (T, R, B, D) and film (2, 2, B, D) to (T, 2, B, D)."""
    return torch.addcmul(x + film[1], y, film[0])


def turn(x: Tensor, turns: Tensor) -> Tensor:
    """`rotate` for tokens first: x (T, R, B, D), turns (2, T, D / 2).

    One complex product where the graph need not be exported: ten times faster. Complex numbers of
    half precision are not to be had everywhere.
    """
    cos, sin = turns[:, :, None, None]
    if torch.compiler.is_exporting() or x.dtype != torch.float32:
        return rotate(x, torch.stack((cos, sin)))
    pairs = torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * torch.complex(cos, sin)).flatten(-2)


def packed(linear: nn.Linear) -> PackedLinear:
    """A linear layer, packed."""
    return PackedLinear(linear.weight, linear.bias)


def _parts(weight: Tensor, bias: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Query, key and value weights and biases of a joint projection."""
    return list(weight.detach().chunk(3)), list(bias.detach().chunk(3))
