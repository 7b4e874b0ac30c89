"""The renderer's five networks as one thing: in torch on its device, or as five graphs.

Keypoints are (1, 21, 3), images (1, 3, 256, 256) RGB in 0..1, volumes (1, C, D, H, W).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from ditto.models.decoder_folded import FoldedDecoder
from ditto.models.folding import fold
from ditto.models.warp_folded import FoldedWarpNetwork, WarpSource
from ditto.runtime.backend import Backend
from ditto.stages import Array

NAMES = ("appearance_extractor", "motion_extractor", "stitch_network", "warp_network", "decoder")
HEADS = ("pitch", "yaw", "roll", "t", "exp", "scale", "kp")


class RenderNetworks(Protocol):
    """What the renderer asks of its networks."""

    def appearance(self, image: Array) -> Array:
        """Image to feature volume."""

    def motion(self, image: Array) -> Mapping[str, Array]:
        """Image to `HEADS`, (1, n) each."""

    def stitch(self, kp_source: Array, kp_driving: Array) -> Array:
        """Driving keypoints that fit the neck."""

    def source(self, volume: Array, kp_source: Array) -> Any:
        """What every frame of a portrait shares, for `render`."""

    def render(self, sources: Sequence[Any], kp_driving: Array) -> Array:
        """A frame of each source, (B, S, S, 3) RGB in 0..1, of keypoints (B, K, 3)."""


class TorchRenderNetworks:
    """The inference forms; a frame leaves the device only as pixels."""

    def __init__(
        self, networks: Mapping[str, nn.Module], device: torch.device, half: bool = False
    ) -> None:
        """half: appearance, warp and decoder multiply in float16, as in the released code."""
        self._device = device
        self._half = half
        folded = {name: fold(networks[name]).to(device) for name in NAMES}
        self._appearance = folded["appearance_extractor"]
        self._motion = folded["motion_extractor"]
        self._stitch = folded["stitch_network"]
        self._warp = cast(FoldedWarpNetwork, folded["warp_network"])
        self._decoder = cast(FoldedDecoder, folded["decoder"])

    @torch.inference_mode()
    def appearance(self, image: Array) -> Array:
        """Image to feature volume."""
        with self._precision():
            return _array(self._appearance(self._tensor(image)))

    @torch.inference_mode()
    def motion(self, image: Array) -> Mapping[str, Array]:
        """Image to `HEADS`."""
        found = self._motion(self._tensor(image))
        return {name: _array(getattr(found, name)) for name in HEADS}

    @torch.inference_mode()
    def stitch(self, kp_source: Array, kp_driving: Array) -> Array:
        """Driving keypoints that fit the neck."""
        return _array(self._stitch(self._tensor(kp_source), self._tensor(kp_driving)))

    @torch.inference_mode()
    def source(self, volume: Array, kp_source: Array) -> WarpSource:
        """The source's share of the warp, on the device."""
        with self._precision():
            return self._warp.prepare(self._tensor(volume), self._tensor(kp_source))

    @torch.inference_mode()
    def render(self, sources: Sequence[WarpSource], kp_driving: Array) -> Array:
        """Frames (B, S, S, 3)."""
        with self._precision():
            warped = self._warp.warp(_joined(sources), self._tensor(kp_driving))
            return _array(self._decoder(warped).permute(0, 2, 3, 1))

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.float16, enabled=self._half)

    def _tensor(self, array: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


class GraphRenderNetworks:
    """Five loaded graphs with the released names of inputs and outputs."""

    def __init__(self, networks: Mapping[str, Backend]) -> None:
        self._networks = networks

    def appearance(self, image: Array) -> Array:
        """Image to feature volume."""
        return self._run("appearance_extractor", "pred", image=image)

    def motion(self, image: Array) -> Mapping[str, Array]:
        """Image to `HEADS`."""
        return self._networks["motion_extractor"].run({"image": image})

    def stitch(self, kp_source: Array, kp_driving: Array) -> Array:
        """Driving keypoints that fit the neck."""
        return self._run("stitch_network", "out", kp_source=kp_source, kp_driving=kp_driving)

    def source(self, volume: Array, kp_source: Array) -> Mapping[str, Array]:
        """The released graphs keep nothing between frames."""
        return {"feature_3d": volume, "kp_source": kp_source}

    def render(self, sources: Sequence[Mapping[str, Array]], kp_driving: Array) -> Array:
        """Frames (B, S, S, 3), one after the other: released engines hold one."""
        pairs = zip(sources, kp_driving[:, None], strict=True)
        return np.stack([self._frame(source, driving) for source, driving in pairs])

    def _frame(self, source: Mapping[str, Array], kp_driving: Array) -> Array:
        warped = self._run("warp_network", "out", **source, kp_driving=kp_driving)
        pixels = self._run("decoder", "output", feature=warped)[0]
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))

    def _run(self, name: str, output: str, **inputs: Array) -> Array:
        return np.asarray(self._networks[name].run(inputs)[output], np.float32)


def _joined(sources: Sequence[WarpSource]) -> WarpSource:
    """Sources as one batch; their grid is the same."""
    if len(sources) == 1:
        return sources[0]
    names = [field.name for field in fields(WarpSource) if field.name != "grid"]
    batch = {name: torch.cat([getattr(source, name) for source in sources]) for name in names}
    return WarpSource(**batch, grid=sources[0].grid)


def _array(tensor: Tensor) -> Array:
    return cast(Array, tensor.float().cpu().numpy())
