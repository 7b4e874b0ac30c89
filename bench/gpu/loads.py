"""How many sessions in real time the networks of one device carry."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from bench.gpu.frames import FrameNetworks
from bench.gpu.segments import sample_segments
from bench.gpu.sessions import SessionLoad, carry_sessions
from bench.gpu.sizes import STEPS, Sizes
from bench.gpu.target import Run, Target, graphed
from ditto.models.lmdm_segment import SegmentSampler
from ditto.models.warp_folded import WarpSource


def carry(
    sampler: SegmentSampler,
    networks: FrameNetworks,
    sizes: Sizes,
    target: Target,
    deadline_s: float,
) -> list[SessionLoad]:
    """More and more sessions in real time, until one is late or the time is over."""
    p, loads = sampler.params, []
    source = networks.sources(1)
    volume_batch = min(8, max(sizes.frame_batches))
    keypoints = networks.portraits(1)[1]

    def segments(batch: int) -> Run:
        noise = target.noise(batch, p.frames, p.motion_dim)
        noises = target.noise(STEPS - 1, batch, p.frames, p.motion_dim)
        frame, cond = target.noise(batch, p.motion_dim), target.noise(batch, p.frames, p.cond_dim)
        return graphed(
            lambda: sample_segments(sampler, noise, noises, frame, cond, target.dtype), target
        )

    def frames(batch: int) -> Run:
        shared = {
            name: value.expand(batch, *value.shape[1:]).contiguous()
            for name, value in vars(source).items()
            if name != "grid"
        }
        sources = WarpSource(**shared, grid=source.grid)
        driving = keypoints.expand(batch, -1, -1).contiguous()

        def pixels() -> Tensor:
            drawn = networks.frame(sources, driving).permute(0, 2, 3, 1)
            return (drawn * 255).round().to(torch.uint8)

        return graphed(pixels, target)

    sample = {batch: segments(batch) for batch in _powers(max(sizes.lmdm_batches))}
    draw = {batch: frames(batch) for batch in _powers(volume_batch)}
    for count in sizes.session_loads:
        if time.monotonic() + 2 * sizes.session_seconds > deadline_s:
            break
        loads.append(carry_sessions(count, sizes.session_seconds, sample, draw, target.wait))
        print(loads[-1].line(), flush=True)
        if loads[-1].late_frames:
            break
    return loads


def _powers(largest: int) -> list[int]:
    return [2**power for power in range(int(math.log2(largest)) + 1)]
