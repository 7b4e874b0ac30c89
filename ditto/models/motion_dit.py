"""The starter pack's motion network: a small streaming diffusion transformer (paper 3.2).

It predicts clean motion x0 of one block of frames from noise, the frames shown before it, and the
conditions of 3.2.1: audio a, eye state e, canonical keypoints c_ref and emotion s are concatenated
and projected to one token a frame; the reference motion m_ref is concatenated with the noise.
Shown frames are a clean, block-causal prefix, so that segments join without fusion.

Letters: B batch, P prefix frames, N frames, T tokens, K block size, C coordinates, A audio width,
E enhanced conditions (e, c_ref, s), D model width, H heads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_SHOWN, _NOISY = 0, 1


@dataclass(frozen=True)
class MotionDiTParams:
    coordinates: int = 23
    audio_dim: int = 768
    enhanced_dim: int = 79
    """8 eye state + 63 canonical keypoints + 8 emotion."""
    width: int = 128
    heads: int = 4
    layers: int = 4
    expansion: int = 3
    block_frames: int = 5
    prefix_frames: int = 15
    """Shown frames that the network sees at run time; training covers every shorter length."""
    dropout: float = 0.1
    audio_dropout: float = 0.25
    """Of single feature numbers: real voices differ from synthesised ones in many of them."""
    clean_prefix: bool = True
    """False hides the shown frames: blocks are sampled independently, as an ablation."""
    longest_reach: int = 60
    """Frame distances from here on share one attention bias."""


class AdaptiveBlock(nn.Module):
    """Self-attention and MLP under an adaptive norm whose modulation all blocks share."""

    def __init__(self, params: MotionDiTParams) -> None:
        super().__init__()
        width = params.width
        self.heads, self.block_frames = params.heads, params.block_frames
        self.qkv = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.expand = nn.Linear(width, params.expansion * width)
        self.contract = nn.Linear(params.expansion * width, width)
        self.own_modulation = nn.Parameter(torch.zeros(6, width))
        self.distance_bias = nn.Parameter(torch.zeros(params.heads, params.longest_reach))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.drop = nn.Dropout(params.dropout)

    def forward(self, x: Tensor, modulation: Tensor, places: Tensor, visible: Tensor) -> Tensor:
        """x (B, T, D), modulation (B, T, 6, D), places (T,) frame numbers, visible (T, T)."""
        shift, scale, gate, shift2, scale2, gate2 = (modulation + self.own_modulation).unbind(2)
        x = x + gate * self.drop(self._attend(self.norm(x) * (1 + scale) + shift, places, visible))
        hidden = functional.gelu(
            self.expand(self.norm(x) * (1 + scale2) + shift2), approximate="tanh"
        )
        moved: Tensor = x + gate2 * self.drop(self.contract(hidden))  # B T D
        return moved

    def _attend(self, x: Tensor, places: Tensor, visible: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # B H T D/H
        apart = places[:, None] - places[None] + self.block_frames  # T T, later keys below that
        bias = self.distance_bias[:, apart.clamp(0, self.distance_bias.shape[1] - 1)]  # H T T
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + bias
        weights = scores.masked_fill(~visible, -1e4).softmax(-1)  # B H T T
        gathered = (weights @ v).transpose(1, 2).reshape(batch, tokens, width)
        attended: Tensor = self.attended(gathered)
        return attended


class MotionDiT(nn.Module):
    """x0 prediction, block by block behind a clean prefix, in standardised coordinates."""

    carry: Tensor
    """(C,) 1 where a block starts from the last shown frame; 0 hides a coordinate of shown frames,
    so that the frame's own conditions alone decide it."""
    audio_mean: Tensor
    audio_scale: Tensor
    enhanced_mask: Tensor
    """(E,) 0 hides an enhanced condition for good, as an ablation."""

    def __init__(self, params: MotionDiTParams) -> None:
        super().__init__()
        self.params = params
        width = params.width
        self.audio_drop = nn.Dropout(params.audio_dropout)
        self.audio_in = nn.Linear(params.audio_dim, width)
        self.enhanced_in = nn.Linear(params.enhanced_dim, width)
        self.no_audio = nn.Parameter(torch.zeros(width))
        self.condition_out = nn.Linear(width, width)
        self.motion_in = nn.Linear(2 * params.coordinates, width)
        self.kind = nn.Parameter(torch.randn(2, width) * 0.02)
        self.place_in_block = nn.Parameter(torch.zeros(params.block_frames, width))
        self.time_in = nn.Linear(64, width)
        self.time_out = nn.Linear(width, width)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(AdaptiveBlock(params) for _ in range(params.layers))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.final_modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, params.coordinates)
        self.register_buffer("carry", torch.ones(params.coordinates))
        self.register_buffer("audio_mean", torch.zeros(params.audio_dim))
        self.register_buffer("audio_scale", torch.ones(params.audio_dim))
        self.register_buffer("enhanced_mask", torch.ones(params.enhanced_dim))
        self._initialise()

    def _initialise(self) -> None:
        nn.init.zeros_(self.out.weight)
        nn.init.normal_(self.modulation.weight, 0, 0.02)
        with torch.no_grad():
            self.modulation.bias.zero_()
            gates = self.modulation.bias.view(6, -1)
            gates[2] = gates[5] = 0.5

    def condition(
        self, audio: Tensor, enhanced: Tensor, keep_audio: Tensor | None = None
    ) -> Tensor:
        """Condition tokens (B, N, D) of audio (B, N, A) and enhanced (B, N, E).

        keep_audio (B, N): False drops a frame's audio, for classifier-free guidance.
        """
        standard = self.audio_drop((audio - self.audio_mean) / self.audio_scale)
        heard = self.audio_in(standard)  # B N D
        if keep_audio is not None:
            heard = torch.where(keep_audio[..., None], heard, self.no_audio)
        known = self.enhanced_in(enhanced * self.enhanced_mask)
        tokens: Tensor = self.condition_out(functional.gelu(heard + known))
        return tokens

    def forward(
        self, shown: Tensor, noisy: Tensor, steer: Tensor, tokens: tuple[Tensor, Tensor], t: Tensor
    ) -> Tensor:
        """Training: every block of a window is denoised behind the clean blocks before it.

        shown, noisy, steer (m_ref) (B, N, C); tokens: conditions (B, N, D) of the shown and of the
        noisy frames; t (B, N / K) noise level of each block in [0, 1]. Returns x0 (B, N, C), as the
        way from the last shown frame, so that slow motion joins exactly.
        """
        frames = noisy.shape[1]
        clean = self._embed(shown, steer, tokens[0], _SHOWN)
        dirty = self._embed(noisy, steer, tokens[1], _NOISY)
        levels = torch.cat([torch.zeros_like(t), t], 1)
        levels = levels.repeat_interleave(self.params.block_frames, 1)  # B 2N
        places = torch.arange(frames, device=noisy.device).repeat(2)
        streams = torch.arange(2, device=noisy.device).repeat_interleave(frames)
        moved = self._run(torch.cat([clean, dirty], 1), levels, places, streams)[:, frames:]
        last = shown[:, self.params.block_frames - 1 : -1 : self.params.block_frames]
        last = functional.pad(last, (0, 0, 1, 0))  # B blocks C, nothing before the first
        return moved + self.carry * last.repeat_interleave(self.params.block_frames, 1)

    def denoise(
        self,
        shown: Tensor,
        noisy: Tensor,
        steer: Tensor,
        tokens: Tensor,
        t: Tensor,
        guidance: Tensor,
    ) -> Tensor:
        """Run time: guided x0 (B, K, C) of one block behind P shown frames.

        shown (B, P, C), noisy (B, K, C), steer (B, P + K, C); tokens (B, P + 2 K, D): conditions of
        the shown frames, of the block, and of the block without audio; t (B,); guidance (B, C),
        where 1 is none.
        """
        prefix, block = shown.shape[1], self.params.block_frames
        clean = self._embed(shown, steer[:, :prefix], tokens[:, :prefix], _SHOWN)
        branches = [
            self._embed(noisy, steer[:, prefix:], part, _NOISY)
            for part in tokens[:, prefix:].chunk(2, 1)
        ]
        levels = torch.cat([torch.zeros_like(clean[..., 0]), t[:, None].expand(-1, 2 * block)], 1)
        near = torch.arange(prefix, prefix + block)
        places = torch.cat([torch.arange(prefix), near, near])
        streams = torch.cat([torch.zeros(prefix), torch.ones(block), torch.full((block,), 2)])
        x = self._run(torch.cat([clean, *branches], 1), levels, places, streams)
        heard, unheard = x[:, prefix:].chunk(2, 1)
        guided = unheard + guidance[:, None] * (heard - unheard)
        return guided + self.carry * shown[:, -1:]

    def _embed(self, motion: Tensor, steer: Tensor, tokens: Tensor, kind: int) -> Tensor:
        if kind == _SHOWN:
            motion = motion * self.carry
        place = self.place_in_block.repeat(motion.shape[1] // self.params.block_frames, 1)
        moved: Tensor = self.motion_in(torch.cat([motion, steer], -1))  # B N D
        return moved + tokens + self.kind[kind] + place

    def _run(self, x: Tensor, levels: Tensor, places: Tensor, streams: Tensor) -> Tensor:
        """A token sees its own block of its own stream, and the shown blocks before it."""
        time = self._time(levels)  # B T D
        modulation = self.modulation(time).view(*time.shape[:2], 6, -1)  # B T 6 D
        number = places // self.params.block_frames
        same = (number[:, None] == number) & (streams[:, None] == streams)
        visible = same  # T T
        if self.params.clean_prefix:
            visible = same | ((number[:, None] > number) & (streams == _SHOWN))
        for block in self.blocks:
            x = block(x, modulation, places, visible)
        shift, scale = self.final_modulation(time).chunk(2, -1)
        clean: Tensor = self.out(self.norm(x) * (1 + scale) + shift)  # B T C
        return clean

    def _time(self, t: Tensor) -> Tensor:
        """Noise levels (B, T) in [0, 1] to embeddings (B, T, D)."""
        octaves = torch.exp(torch.linspace(math.log(100), math.log(0.1), 32, device=t.device))
        angles = t[..., None] * octaves
        waves = torch.cat([angles.sin(), angles.cos()], -1)  # B T 64
        return functional.silu(self.time_out(functional.silu(self.time_in(waves))))
