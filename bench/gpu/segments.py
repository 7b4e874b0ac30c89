"""Forms of sampling a segment of motion with LMDM."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from bench.gpu.sizes import STEPS
from bench.gpu.target import Run, Target, graphed, lazily
from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.lmdm import GUIDANCE_WEIGHT, Lmdm
from ditto.models.lmdm_segment import SegmentSampler

_COMPILE_OPTIONS: dict[str, str | int | bool | Callable[..., object]] = {"pattern_matcher": False}
"""Inductor (torch 2.13) takes the keys' permutation for a transposition, and fails in its pattern
for attention."""


def lmdm_forms(lmdm: Lmdm, batch: int, target: Target, has_compiled: bool) -> dict[str, Run]:
    """Forms of sampling a segment for `batch` sessions."""
    p, steps = lmdm.params, ddim_schedule(STEPS)
    noise = target.noise(batch, p.frames, p.motion_dim)
    noises = target.noise(STEPS - 1, batch, p.frames, p.motion_dim, seed=1)
    frame = 0.5 * target.noise(batch, p.motion_dim, seed=2)
    cond = target.noise(batch, p.frames, p.cond_dim, seed=3)
    times = [torch.full((batch,), step.time, device=target.device) for step in steps]

    def guided(x: Tensor, index: int) -> Tensor:
        without: Tensor = lmdm(x, frame, cond, times[index], conditional=False)
        with_speech: Tensor = lmdm(x, frame, cond, times[index])
        return without + GUIDANCE_WEIGHT * (with_speech - without)

    def naive() -> Tensor:
        motion: Tensor = sample_ddim(guided, noise, list(noises), steps)
        return motion

    sampler = segment_sampler(lmdm, target)

    def sampled() -> Tensor:
        return sample_segments(sampler, noise, noises, frame, cond, target.dtype)

    def compiled() -> Run:
        quick = segment_sampler(lmdm, target)
        for layer in quick.layers:
            layer.compile(dynamic=False, options=_COMPILE_OPTIONS)
        return graphed(
            lambda: sample_segments(quick, noise, noises, frame, cond, target.dtype), target
        )

    forms = {
        "naive eager": naive,
        "low precision": sampled,
        "graph": lazily(lambda: graphed(sampled, target)),
    }
    return {**forms, "compiled graph": lazily(compiled)} if has_compiled else forms


def segment_sampler(lmdm: Lmdm, target: Target) -> SegmentSampler:
    """A sampler of its own weights, in the target's type."""
    return SegmentSampler(copy.deepcopy(lmdm), STEPS).to(target.device, target.dtype)


def sample_segments(
    sampler: SegmentSampler, noise: Tensor, noises: Tensor, frame: Tensor, cond: Tensor,
    dtype: torch.dtype,
) -> Tensor:  # fmt: skip
    """`SegmentSampler.forward` with the network in `dtype` and the sampled motion in float32."""
    conditions = sampler.prepare(frame.to(dtype), cond.to(dtype))
    motion = sample_ddim(
        lambda x, index: sampler.denoise(x.to(dtype), index, conditions).float(),
        noise.transpose(0, 1),
        noises.transpose(1, 2).unbind(0),
        sampler.schedule,
    )
    return motion.transpose(0, 1).contiguous()
