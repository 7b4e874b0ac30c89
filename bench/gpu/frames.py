"""Forms of drawing a frame with warp and decoder."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

from bench.gpu.sizes import Sizes
from bench.gpu.target import Run, Target, graphed, lazily
from ditto.models.decoder import Decoder
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.warp_folded import WarpSource
from ditto.models.warp_network import WarpNetwork


class FrameNetworks:
    """Warp and decoder, as published and in their inference forms, and portraits for them."""

    def __init__(self, sizes: Sizes, target: Target) -> None:
        self._sizes, self._target, self._dtype = sizes, target, target.frame_dtype
        self._warp = load_generated(WarpNetwork(sizes.warp)).to(target.device)
        self._decoder = load_generated(Decoder(sizes.decoder)).to(target.device)
        self.warp = low_precision(fold(copy.deepcopy(self._warp)), target)
        self.decoder = low_precision(fold(copy.deepcopy(self._decoder)), target)

    def portraits(self, count: int) -> tuple[Tensor, Tensor]:
        """Appearance volumes (N, C, D, H, W) and source keypoints (N, K, 3)."""
        p, side = self._sizes.warp, self._sizes.side
        volume = self._target.noise(count, p.volume_channels, p.volume_depth, side, side)
        return volume, 0.3 * self._target.noise(count, p.keypoints, 3, seed=1)

    def sources(self, count: int) -> WarpSource:
        """What the warp keeps of so many portraits."""
        volume, keypoints = (tensor.to(self._dtype) for tensor in self.portraits(count))
        source: WarpSource = self.warp.prepare(volume, keypoints)
        return source

    def frame(self, source: WarpSource, driving: Tensor) -> Tensor:
        """Pixels (B, 3, 8 H, 8 W) of B sources and keypoints (B, K, 3)."""
        return cast(Tensor, self.decoder(self.warp.warp(source, driving.to(self._dtype))))

    def forms(self, batch: int) -> dict[str, Run]:
        """Forms of a frame of `batch` sessions, each with a portrait of its own."""
        volume, keypoints = self.portraits(batch)
        driving = keypoints + 0.05 * self._target.noise(*keypoints.shape, seed=2)
        source = self.sources(batch)

        def frame() -> Tensor:
            return self.frame(source, driving)

        return {
            "naive eager": lambda: self._decoder(self._warp(volume, keypoints, driving)),
            "low precision": frame,
            "graph": lazily(lambda: graphed(frame, self._target)),
        }


def low_precision(network: nn.Module, target: Target) -> Any:
    """The network in the target's type, its convolutions' weights with channels last."""
    network = network.eval().requires_grad_(False).to(target.device, target.frame_dtype)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.ndim in formats and target.is_cuda:
            tensor.data = tensor.contiguous(memory_format=formats[tensor.ndim])
    return network
