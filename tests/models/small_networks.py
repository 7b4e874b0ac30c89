"""The published networks in small sizes, with recipe weights and matching random inputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ditto.models.appearance_extractor import AppearanceExtractor, AppearanceExtractorParams
from ditto.models.decoder import Decoder, DecoderParams
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.models.motion_extractor import MotionExtractor, MotionExtractorParams
from ditto.models.stitch_network import StitchNetwork
from ditto.models.warp_network import WarpNetwork, WarpNetworkParams

SMALL_LMDM = LmdmParams(
    motion_dim=10, frames=12, cond_dim=9, width=16, heads=2, hidden=32, layers=2, cond_layers=1
)
SMALL_WARP = WarpNetworkParams(
    keypoints=3, volume_channels=4, volume_depth=4, base_channels=4, levels=2, out_channels=8
)

BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "appearance_extractor": lambda: AppearanceExtractor(
        AppearanceExtractorParams(
            base_channels=4, volume_channels=4, volume_depth=4, residual_blocks=2
        )
    ),
    "motion_extractor": lambda: MotionExtractor(
        MotionExtractorParams(depths=(1, 1, 1, 1), widths=(8, 16, 24, 32))
    ),
    "warp_network": lambda: WarpNetwork(SMALL_WARP),
    "decoder": lambda: Decoder(
        DecoderParams(in_channels=8, width=16, up_widths=(12, 8), hidden=8, middle_blocks=2)
    ),
    "stitch_network": StitchNetwork,
    "lmdm": lambda: Lmdm(SMALL_LMDM),
}


def build(name: str) -> nn.Module:
    """A small network with recipe weights."""
    return load_generated(BUILDERS[name]())


def inputs(name: str, batch: int, seed: int = 0) -> dict[str, Tensor]:
    """Random inputs of the small network's sizes, under the released names."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    match name:
        case "appearance_extractor":
            return {"image": noise(3, 32, 32)}
        case "motion_extractor":
            return {"image": noise(3, 64, 64)}
        case "warp_network":
            keypoints = {key: 0.4 * noise(3, 3) for key in ("kp_source", "kp_driving")}
            return {"feature_3d": noise(4, 4, 16, 16), **keypoints}
        case "decoder":
            return {"feature": noise(8, 8, 8)}
        case "stitch_network":
            return {"kp_source": noise(21, 3), "kp_driving": noise(21, 3)}
        case _:
            time = torch.arange(batch) * 300 + 5
            return {
                "x": noise(12, 10),
                "cond_frame": noise(10),
                "cond": noise(12, 9),
                "time_cond": time,
            }
