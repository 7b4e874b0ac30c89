"""What is built and how much of it is run: at the released shapes, or tiny to try the script."""

from __future__ import annotations

from dataclasses import dataclass, field

from ditto.models.decoder import DecoderParams
from ditto.models.lmdm import LmdmParams
from ditto.models.warp_network import WarpNetworkParams

STEPS = 10
"""Of sampling a segment."""


@dataclass(frozen=True)
class Sizes:
    """What is built and how much of it is run."""

    lmdm: LmdmParams = field(default_factory=LmdmParams)
    warp: WarpNetworkParams = field(default_factory=WarpNetworkParams)
    decoder: DecoderParams = field(default_factory=DecoderParams)
    side: int = 64
    """Height and width of the feature volume."""
    lmdm_batches: tuple[int, ...] = (1, 4, 16, 64)
    frame_batches: tuple[int, ...] = (1, 2, 4, 8, 16)
    product_side: int = 8192
    copy_bytes: int = 1 << 30
    runs: int = 20
    session_loads: tuple[int, ...] = (1, 4, 8, 10, 12, 16, 20, 24, 32)
    session_seconds: float = 6.0


TOY = Sizes(
    lmdm=LmdmParams(
        motion_dim=10, frames=12, cond_dim=9, width=16, heads=2, hidden=32, layers=2, cond_layers=1
    ),
    warp=WarpNetworkParams(
        keypoints=3, volume_channels=4, volume_depth=4, base_channels=4, levels=2, out_channels=8
    ),
    decoder=DecoderParams(in_channels=8, width=16, up_widths=(12, 8), hidden=8, middle_blocks=2),
    side=8,
    lmdm_batches=(1, 2),
    frame_batches=(1, 2),
    product_side=128,
    copy_bytes=1 << 16,
    runs=2,
    session_loads=(1, 2),
    session_seconds=0.6,
)
