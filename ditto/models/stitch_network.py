"""Stitching network S: nudges driving keypoints so that the head fits its neck (paper 3.1).

B batch, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class StitchNetworkParams:
    """Sizes of the network; the defaults are the released ones."""

    keypoints: int = 21
    hidden: tuple[int, ...] = (128, 128, 64)


class StitchNetwork(nn.Module):
    """Source and driving keypoints (B, K, 3) to corrected driving keypoints (B, K, 3)."""

    def __init__(self, params: StitchNetworkParams | None = None) -> None:
        super().__init__()
        self.params = p = params or StitchNetworkParams()
        widths = (6 * p.keypoints, *p.hidden, 3 * p.keypoints + 2)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.mlp = nn.Sequential(*layers[:-1])

    def forward(self, kp_source: Tensor, kp_driving: Tensor) -> Tensor:
        """(B, K, 3) and (B, K, 3) to (B, K, 3)."""
        shape = (self.params.keypoints, 3)
        for name, keypoints in (("kp_source", kp_source), ("kp_driving", kp_driving)):
            assert keypoints.shape[1:] == shape, f"{name} must be (B, {shape}): {keypoints.shape}"
        both = torch.cat((kp_source.flatten(1), kp_driving.flatten(1)), dim=1)  # (B, 6K)
        correction: Tensor = self.mlp(both)  # (B, 3K + 2)
        offsets = correction[:, :-2].view(-1, *shape)  # (B, K, 3)
        shift = functional.pad(correction[:, -2:], (0, 1))  # (B, 3): x, y and no z
        return kp_driving + offsets + shift[:, None]
