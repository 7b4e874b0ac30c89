"""HuBERT for short windows: a fixed corpus is remembered before every window (paper 3.3.1).

Keys and values of the corpus are computed once and stand before those of each window, so that a
model trained on long utterances finds the context that it expects. Tokens of a window see all of
the corpus and, by a causal mask, the window's tokens up to themselves.

B windows, N samples, T tokens, P corpus tokens, L layers, H heads, D width.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.models.hubert import Hubert, KeysValues


class StreamingHubert(nn.Module):
    """Windows of samples (B, N) to tokens (B, T, D), each window on its own after the corpus."""

    prefix_keys: Tensor
    prefix_values: Tensor

    def __init__(self, hubert: Hubert, corpus: Tensor | None) -> None:
        """corpus: samples (n,) of fixed speech, or None to go without."""
        super().__init__()
        self.hubert = hubert
        memory = [] if corpus is None else remember(hubert, corpus)
        empty = torch.zeros(hubert.params.layers, 1, hubert.params.heads, 0, 1)
        keys = torch.stack([layer.keys for layer in memory]) if memory else empty
        values = torch.stack([layer.values for layer in memory]) if memory else empty
        self.register_buffer("prefix_keys", keys)  # (L, 1, H, P, D / H)
        self.register_buffer("prefix_values", values)

    @property
    def prefix_tokens(self) -> int:
        """P."""
        return self.prefix_keys.shape[3]

    def forward(self, samples: Tensor) -> Tensor:
        """(B, N) to (B, T, D)."""
        placed = self.hubert.place(samples)
        mask = window_mask(1, placed.shape[1], self.prefix_tokens, placed.device)
        return cast(Tensor, self.hubert.encoder(placed, mask, self._prefix())[0])

    def one_pass(self, windows: Tensor) -> Tensor:
        """Windows (W, N) of one speech in a single pass, (W, T, D): equal to each by itself."""
        placed = self.hubert.place(windows)  # (W, T, D)
        mask = window_mask(len(placed), placed.shape[1], self.prefix_tokens, placed.device)
        tokens = self.hubert.encoder(placed.flatten(0, 1)[None], mask, self._prefix())[0]
        return cast(Tensor, tokens.view_as(placed))

    def _prefix(self) -> list[KeysValues] | None:
        if not self.prefix_tokens:
            return None
        pairs = zip(self.prefix_keys, self.prefix_values, strict=True)
        return [KeysValues(keys, values) for keys, values in pairs]


@torch.no_grad()
def remember(hubert: Hubert, corpus: Tensor) -> list[KeysValues]:
    """Every layer's keys and values of the corpus (n,), which sees all of itself."""
    return cast(list[KeysValues], hubert.encoder(hubert.place(corpus[None]), None, None)[1])


def window_mask(windows: int, tokens: int, prefix: int, device: torch.device) -> Tensor:
    """(W T, P + W T) True where a token may look: the prefix, its own window up to itself."""
    causal = torch.ones(tokens, tokens, dtype=torch.bool, device=device).tril()
    own = torch.kron(torch.eye(windows, device=device), causal).bool() if windows > 1 else causal
    return functional.pad(own, (prefix, 0), value=True)
