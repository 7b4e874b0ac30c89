"""Sampling one segment of motion: all in torch on its device, or step by step over a graph.

B batch, T frames, M motion numbers, C condition width, S steps.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol, cast

import numpy as np
import torch

from ditto.diffusion.ddim import sample_ddim
from ditto.diffusion.ddim_noise import SegmentNoise
from ditto.diffusion.schedule import ddim_schedule
from ditto.models.lmdm import Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from ditto.runtime.backend import Backend
from ditto.stages import Array

_KEPT_STEP_COUNTS = 2
"""A sampler holds the network's weights laid out for one step count."""


class Sampler(Protocol):
    """Noise and conditions to motion."""

    frames: int
    """T."""
    cond_dim: int
    """C."""

    def sample(self, noise: SegmentNoise, cond_frame: Array, cond: Array) -> Array:
        """Noise, reference motion (B, M) and conditions (B, T, C) to motion (B, T, M)."""


class TorchSampler:
    """`SegmentSampler` for the step counts that calls ask for."""

    def __init__(self, lmdm: Lmdm, device: torch.device) -> None:
        self._lmdm = lmdm.to(device)
        self._device = device
        self._samplers: OrderedDict[int, SegmentSampler] = OrderedDict()
        self.frames = lmdm.params.frames
        self.cond_dim = lmdm.params.cond_dim

    @torch.inference_mode()
    def sample(self, noise: SegmentNoise, cond_frame: Array, cond: Array) -> Array:
        """Segments (B, T, M)."""
        arrays = (noise.initial, noise.steps, cond_frame, cond)
        given = [torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in arrays]
        motion = self._sampler(len(noise.steps) + 1)(*given)
        return cast(Array, motion.float().cpu().numpy())

    def _sampler(self, steps: int) -> SegmentSampler:
        if steps not in self._samplers:
            self._samplers[steps] = SegmentSampler(self._lmdm, steps).to(self._device)
        self._samplers.move_to_end(steps)
        if len(self._samplers) > _KEPT_STEP_COUNTS:
            self._samplers.popitem(last=False)
        return self._samplers[steps]


class GraphSampler:
    """The released graph: one guided step a run, the update between steps in numpy."""

    def __init__(self, network: Backend, frames: int, cond_dim: int) -> None:
        self._network = network
        self.frames = frames
        self.cond_dim = cond_dim

    def sample(self, noise: SegmentNoise, cond_frame: Array, cond: Array) -> Array:
        """Segments (B, T, M)."""
        schedule = ddim_schedule(len(noise.steps) + 1)
        shared = {"cond_frame": cond_frame, "cond": cond}

        def denoise(x: Array, index: int) -> Array:
            time = np.full(len(x), schedule[index].time, np.int64)
            x = x.astype(np.float32, copy=False)  # float64 factors have widened it
            return np.asarray(self._network.run({"x": x, "time_cond": time, **shared})["x_start"])

        return np.asarray(
            sample_ddim(denoise, noise.initial, list(noise.steps), schedule), np.float32
        )
