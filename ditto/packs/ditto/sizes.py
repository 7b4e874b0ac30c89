"""Sizes of the pack's networks: the released ones, and tiny ones that test the same code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

from ditto.models.appearance_extractor import AppearanceExtractor, AppearanceExtractorParams
from ditto.models.decoder import Decoder, DecoderParams
from ditto.models.hubert import HubertParams
from ditto.models.lmdm import Lmdm, LmdmParams
from ditto.models.motion_extractor import MotionExtractor, MotionExtractorParams
from ditto.models.stitch_network import StitchNetwork, StitchNetworkParams
from ditto.models.warp_network import WarpNetwork, WarpNetworkParams

_CONDITIONS = 8 + 2 + 6 + 63
"""Emotion, eye-open, eye-ball, canonical keypoints."""


@dataclass(frozen=True)
class Sizes:
    """Parameters of every network."""

    appearance: AppearanceExtractorParams = field(default_factory=AppearanceExtractorParams)
    motion: MotionExtractorParams = field(default_factory=MotionExtractorParams)
    warp: WarpNetworkParams = field(default_factory=WarpNetworkParams)
    decoder: DecoderParams = field(default_factory=DecoderParams)
    stitch: StitchNetworkParams = field(default_factory=StitchNetworkParams)
    lmdm: LmdmParams = field(default_factory=LmdmParams)
    hubert: HubertParams = field(default_factory=HubertParams)
    corpus_samples: int = 51_200
    """Length of the speech that the encoder remembers."""

    def builders(self) -> Mapping[str, Callable[[], nn.Module]]:
        """The six networks with checkpoints, by name."""
        return {
            "appearance_extractor": lambda: AppearanceExtractor(self.appearance),
            "motion_extractor": lambda: MotionExtractor(self.motion),
            "warp_network": lambda: WarpNetwork(self.warp),
            "decoder": lambda: Decoder(self.decoder),
            "stitch_network": lambda: StitchNetwork(self.stitch),
            "lmdm": lambda: Lmdm(self.lmdm),
        }


FULL = Sizes()
TINY = Sizes(
    appearance=AppearanceExtractorParams(8, 16, 2, volume_channels=2, volume_depth=2),
    motion=MotionExtractorParams(depths=(1, 1, 1, 1), widths=(8, 8, 16, 16)),
    warp=WarpNetworkParams(
        volume_channels=2,
        volume_depth=2,
        compressed_channels=1,
        base_channels=2,
        max_channels=16,
        levels=2,
        out_channels=16,
    ),
    decoder=DecoderParams(in_channels=16, width=16, up_widths=(12, 8), hidden=8, middle_blocks=1),
    stitch=StitchNetworkParams(hidden=(16,)),
    lmdm=LmdmParams(cond_dim=32 + _CONDITIONS, width=32, heads=4, hidden=64, layers=2),
    hubert=HubertParams(
        conv_channels=16,
        width=32,
        heads=4,
        hidden=64,
        layers=2,
        position_kernel=16,
        position_groups=4,
    ),
    corpus_samples=16_000,
)
