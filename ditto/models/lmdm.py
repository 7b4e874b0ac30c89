"""LMDM, the latent motion diffusion model: denoises motion under audio conditions (paper 3.2).

B batch, T frames of a segment (also its condition tokens), M motion numbers, D width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ditto.models.lmdm_layers import DecoderLayer, EncoderLayer, Rotary

GUIDANCE_WEIGHT = 2.0
TIME_TOKENS = 2


@dataclass(frozen=True)
class LmdmParams:
    """Sizes of the network; the defaults are the released ones."""

    motion_dim: int = 265
    frames: int = 80
    cond_dim: int = 1103
    """Width of a condition frame; the released file's own is read when it is loaded."""
    width: int = 512
    heads: int = 8
    hidden: int = 1024
    layers: int = 8
    cond_layers: int = 2


class SinusoidalTime(nn.Module):
    """Integer timesteps as sines, then cosines, of falling frequency."""

    rates: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        exponents = torch.arange(half).float() * (-math.log(10_000) / (half - 1))
        # Kept, not computed in the graph: at timestep 999 one ulp of a rate shows in the motion.
        self.register_buffer("rates", exponents.exp(), persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        """(B,) to (B, D)."""
        angles = time[:, None] * self.rates
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class DecoderStack(nn.Module):
    """Decoder layers, one after the other."""

    def __init__(self, layers: list[DecoderLayer]) -> None:
        super().__init__()
        self.stack = nn.ModuleList(layers)

    def forward(self, x: Tensor, memory: Tensor, vector: Tensor) -> Tensor:
        """x (B, T, D), memory (B, T + 2, D), vector (B, D) to (B, T, D)."""
        for layer in self.stack:
            x = layer(x, memory, vector)
        return x


class Lmdm(nn.Module):
    """Noisy motion, reference motion, condition and timestep to clean motion x0."""

    def __init__(self, params: LmdmParams | None = None) -> None:
        super().__init__()
        self.params = p = params or LmdmParams()
        self.null_cond_embed = nn.Parameter(torch.randn(1, p.frames, p.width))
        self.null_cond_hidden = nn.Parameter(torch.randn(1, p.width))
        self.rotary = Rotary(p.width)
        self.time_mlp = nn.Sequential(
            SinusoidalTime(p.width), nn.Linear(p.width, 4 * p.width), nn.Mish()
        )
        self.to_time_cond = nn.Sequential(nn.Linear(4 * p.width, p.width))
        self.to_time_tokens = nn.Sequential(nn.Linear(4 * p.width, TIME_TOKENS * p.width))
        self.norm_cond = nn.LayerNorm(p.width)
        self.input_projection = nn.Linear(2 * p.motion_dim, p.width)
        self.cond_encoder = nn.Sequential(
            *(EncoderLayer(p.width, p.heads, p.hidden, self.rotary) for _ in range(p.cond_layers))
        )
        self.cond_projection = nn.Linear(p.cond_dim, p.width)
        self.non_attn_cond_projection = nn.Sequential(
            nn.LayerNorm(p.width),
            nn.Linear(p.width, p.width),
            nn.SiLU(),
            nn.Linear(p.width, p.width),
        )
        self.seqTransDecoder = DecoderStack(
            [DecoderLayer(p.width, p.heads, p.hidden, self.rotary) for _ in range(p.layers)]
        )
        self.final_layer = nn.Linear(p.width, p.motion_dim)

    def forward(
        self, x: Tensor, cond_frame: Tensor, cond: Tensor, time: Tensor, conditional: bool = True
    ) -> Tensor:
        """x (B, T, M), cond_frame (B, M), cond (B, T, 1103), time (B,) to x0 (B, T, M).

        `conditional=False` replaces the audio's share by the learned null condition.
        """
        check_denoiser_inputs(self.params, x, cond_frame, cond, time)
        if conditional:
            tokens = self.encode_condition(cond)
            pooled = self.pool(tokens)
        else:
            tokens = self.null_cond_embed.expand(x.shape[0], -1, -1)
            pooled = self.null_cond_hidden.expand(x.shape[0], -1)
        return self.denoise(x, cond_frame, tokens, pooled, time)

    def guided(self, x: Tensor, cond_frame: Tensor, cond: Tensor, time: Tensor) -> Tensor:
        """x0 under classifier-free guidance, both branches in one batch; shapes as `forward`."""
        check_denoiser_inputs(self.params, x, cond_frame, cond, time)
        tokens = self.encode_condition(cond)
        null_tokens = self.null_cond_embed.expand_as(tokens)
        pooled = torch.cat((self.pool(tokens), self.null_cond_hidden.expand(x.shape[0], -1)))
        both = self.denoise(
            torch.cat((x, x)),
            torch.cat((cond_frame, cond_frame)),
            torch.cat((tokens, null_tokens)),
            pooled,
            torch.cat((time, time)),
        )
        conditional, unconditional = both[: x.shape[0]], both[x.shape[0] :]
        return unconditional + GUIDANCE_WEIGHT * (conditional - unconditional)

    def encode_condition(self, cond: Tensor) -> Tensor:
        """Condition frames (B, T, 1103) to tokens (B, T, D)."""
        return cast(Tensor, self.cond_encoder(self.cond_projection(cond)))

    def pool(self, tokens: Tensor) -> Tensor:
        """What the whole segment's condition says to every layer: (B, T, D) to (B, D)."""
        return cast(Tensor, self.non_attn_cond_projection(tokens.mean(1)))

    def embed_time(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Timesteps (B,) to a vector (B, D) and tokens (B, 2, D)."""
        hidden = self.time_mlp(time)
        tokens = self.to_time_tokens(hidden).view(time.shape[0], TIME_TOKENS, -1)
        return self.to_time_cond(hidden), tokens

    def denoise(
        self, x: Tensor, cond_frame: Tensor, tokens: Tensor, pooled: Tensor, time: Tensor
    ) -> Tensor:
        """`forward` after the condition side: tokens (B, T, D), pooled (B, D)."""
        frames = x.shape[1]
        steered = torch.cat((x, cond_frame[:, None].expand(-1, frames, -1)), dim=-1)
        vector, time_tokens = self.embed_time(time)
        memory = self.norm_cond(torch.cat((tokens, time_tokens), dim=1))  # (B, T + 2, D)
        hidden = self.seqTransDecoder(self.input_projection(steered), memory, vector + pooled)
        return cast(Tensor, self.final_layer(hidden))


def check_denoiser_inputs(
    params: LmdmParams, x: Tensor, cond_frame: Tensor, cond: Tensor, time: Tensor
) -> None:
    """Assert the shapes of a denoiser's inputs."""
    frames, motion, width = params.frames, params.motion_dim, params.cond_dim
    assert x.shape[1:] == (frames, motion), f"x must be (B, {frames}, {motion}): {tuple(x.shape)}"
    assert cond_frame.shape[1:] == (motion,), f"cond_frame must be (B, {motion})"
    assert cond.shape[1:] == (frames, width), f"cond must be (B, {frames}, {width})"
    assert time.ndim == 1, f"time must be (B,), got {tuple(time.shape)}"
