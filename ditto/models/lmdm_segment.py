"""Sampling a whole segment of motion, with nothing computed twice.

What the plain loop repeats at every step depends on less than the step: condition tokens and their
keys and values on the segment; the unconditional branch's on the weights; time tokens and their
keys and values on the timestep; every layer's scale and shift on segment and timestep. Here each is
computed at its own rate, both guidance branches run as one batch, and all steps run on the device.
The results equal the plain loop's (paper 3.2; layer norm acts on each memory token by itself).

B batch, T frames (also condition tokens), N = T + 2 memory tokens, M motion numbers, D width,
H heads, C = D / H, L layers, S steps, A = 2 B H attention rows; branches: conditional, then not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.lmdm import GUIDANCE_WEIGHT, TIME_TOKENS, Lmdm
from ditto.models.lmdm_layers import DecoderLayer
from ditto.models.packed_linear import PackedLinear
from ditto.models.segment_layer import SegmentLayer, packed, turn


@dataclass(frozen=True)
class SegmentConditions:
    """What all steps of a segment share."""

    frame_bias: Tensor
    """(B, D) the reference motion's share of the input projection."""
    keys: Tensor
    """(L, A, C, N) cross-attention keys; each step writes the last two tokens."""
    values: Tensor
    """(L, N, A, C); likewise."""
    films: Tensor
    """(S, L, 3, 2, 2, B, D): step, layer, place, scale or shift, branch, batch, channel."""


class SegmentSampler(nn.Module):
    """Noise and conditions to the guided, sampled motion of a segment, in a fixed step count."""

    turns: Tensor
    time_vectors: Tensor
    time_keys: Tensor
    time_values: Tensor
    null_keys: Tensor
    null_values: Tensor
    null_films: Tensor

    def __init__(self, lmdm: Lmdm, steps: int) -> None:
        super().__init__()
        self.params = p = lmdm.params
        self.schedule = ddim_schedule(steps)
        self.condition_projection = lmdm.cond_projection
        self.condition_encoder = lmdm.cond_encoder
        self.pool_projection = lmdm.non_attn_cond_projection
        self.norm_cond = lmdm.norm_cond
        into = lmdm.input_projection
        self.project_x = PackedLinear(into.weight[:, : p.motion_dim], torch.zeros(p.width))
        self.project_frame = PackedLinear(into.weight[:, p.motion_dim :], into.bias)
        self.final = packed(lmdm.final_layer)
        layers = [cast(DecoderLayer, layer) for layer in lmdm.seqTransDecoder.stack]
        self.layers = nn.ModuleList(SegmentLayer(layer) for layer in layers)
        cross = [layer.multihead_attn for layer in layers]
        weights = torch.stack(
            [attention.in_proj_weight.view(3, p.width, -1) for attention in cross]
        )
        biases = torch.stack([attention.in_proj_bias.view(3, -1) for attention in cross])
        self.memory_keys = PackedLinear(weights[:, 1].flatten(0, 1), biases[:, 1].flatten())
        self.memory_values = PackedLinear(weights[:, 2].flatten(0, 1), biases[:, 2].flatten())
        films = [film for layer in layers for film in (layer.film1, layer.film2, layer.film3)]
        linears = [cast(nn.Linear, film.block[1]) for film in films]
        self.film = PackedLinear(
            torch.cat([linear.weight for linear in linears]),
            torch.cat([linear.bias for linear in linears]),
        )
        self._keep_constants(lmdm)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def _keep_constants(self, lmdm: Lmdm) -> None:
        """Compute what depends on the weights and the timesteps alone."""
        frames = self.params.frames
        self.register_buffer("turns", lmdm.rotary.turns(frames + TIME_TOKENS))
        keys, values = self._keys_values(
            lmdm.null_cond_embed.transpose(0, 1), self.turns[:, :frames]
        )
        self.register_buffer("null_keys", keys)  # (L, H, C, T)
        self.register_buffer("null_values", values)  # (L, T, H, C)
        times = torch.tensor([step.time for step in self.schedule], device=self.turns.device)
        vectors, tokens = lmdm.embed_time(times)
        self.register_buffer("time_vectors", vectors)  # (S, D)
        keys, values = self._keys_values(tokens.transpose(0, 1), self.turns[:, frames:])
        layers, heads, head_width = len(self.layers), self.params.heads, keys.shape[2]
        keys = keys.view(layers, -1, heads, head_width, TIME_TOKENS)
        values = values.view(layers, TIME_TOKENS, -1, heads, head_width)
        self.register_buffer("time_keys", keys)  # (L, S, H, C, 2)
        self.register_buffer("time_values", values)  # (L, 2, S, H, C)
        self.register_buffer("null_films", self._films(lmdm.null_cond_hidden))

    def forward(
        self, initial_noise: Tensor, step_noises: Tensor, cond_frame: Tensor, cond: Tensor
    ) -> Tensor:
        """(B, T, M), (S - 1, B, T, M), (B, M) and (B, T, 1103) to motion (B, T, M)."""
        conditions = self.prepare(cond_frame, cond)
        motion = sample_ddim(
            lambda x, index: self.denoise(x, index, conditions),
            initial_noise.transpose(0, 1),
            step_noises.transpose(1, 2).unbind(0),
            self.schedule,
        )
        return motion.transpose(0, 1).contiguous()

    def prepare(self, cond_frame: Tensor, cond: Tensor) -> SegmentConditions:
        """The segment's share: reference motion (B, M) and condition (B, T, 1103)."""
        p = self.params
        assert cond.shape[1:] == (p.frames, p.cond_dim), f"cond: {tuple(cond.shape)}"
        assert cond_frame.shape == (cond.shape[0], p.motion_dim), f"cond_frame: {cond_frame.shape}"
        tokens = self.condition_encoder(self.condition_projection(cond))
        films = self._films(self.pool_projection(tokens.mean(1)))
        keys, values = self._keys_values(tokens.transpose(0, 1), self.turns[:, : p.frames])
        batch = cond.shape[0]
        keys = torch.cat((keys, self.null_keys.repeat(1, batch, 1, 1)), dim=1)
        values = torch.cat((values, self.null_values.repeat(1, 1, batch, 1)), dim=2)
        return SegmentConditions(
            frame_bias=self.project_frame(cond_frame),
            keys=functional.pad(keys, (0, TIME_TOKENS)),
            values=functional.pad(values, (0, 0, 0, 0, 0, TIME_TOKENS)),
            films=torch.cat((films, self.null_films.expand_as(films)), dim=4),
        )

    def denoise(self, x: Tensor, index: int, conditions: SegmentConditions) -> Tensor:
        """Guided x0 (T, B, M) of x (T, B, M) at the schedule's step `index`."""
        keys, values = self._set_time(index, conditions)
        turns = self.turns[:, : self.params.frames]
        hidden = (self.project_x(x) + conditions.frame_bias)[:, None]  # (T, 1, B, D)
        for number, layer in enumerate(self.layers):
            films = conditions.films[index, number]
            hidden = layer(hidden, turns, keys[number], values[number], films)  # (T, 2, B, D)
        conditional, unconditional = hidden.unbind(1)
        # The last layer is linear, so guidance may come before it.
        guided = unconditional + GUIDANCE_WEIGHT * (conditional - unconditional)
        return cast(Tensor, self.final(guided))

    def _set_time(self, index: int, conditions: SegmentConditions) -> tuple[Tensor, Tensor]:
        """Write the step's time tokens into the segment's keys and values."""
        keys, values = conditions.keys, conditions.values
        repeats = keys.shape[1] // self.params.heads
        keys[..., -TIME_TOKENS:] = self.time_keys[:, index].repeat(1, repeats, 1, 1)
        values[:, -TIME_TOKENS:] = self.time_values[:, :, index].repeat(1, 1, repeats, 1)
        return keys, values

    def _keys_values(self, memory: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Memory tokens (N, B, D) to every layer's keys (L, B H, C, N), values (L, N, B H, C)."""
        layers, heads = len(self.layers), self.params.heads
        normed = self.norm_cond(memory)
        shape = (*memory.shape[:2], layers, heads, -1)  # (N, B, L, H, C)
        keys = self.memory_keys(turn(normed[:, None], turns)).view(shape)
        values = self.memory_values(normed).view(shape)
        return keys.permute(2, 1, 3, 4, 0).flatten(1, 2), values.permute(2, 0, 1, 3, 4).flatten(
            2, 3
        )

    def _films(self, pooled: Tensor) -> Tensor:
        """Scales (plus one) and shifts of all steps: pooled (B, D) to (S, L, 3, 2, 1, B, D)."""
        vectors = functional.mish(self.time_vectors[:, None] + pooled)  # (S, B, D)
        films = self.film(vectors).view(*vectors.shape[:2], len(self.layers), 3, 2, -1)
        scales, shifts = films.permute(0, 2, 3, 4, 1, 5).unbind(3)
        return torch.stack((scales + 1, shifts), dim=3)[:, :, :, :, None]
