"""SyncNet's two towers, under the names of the published weights (Chung and Zisserman, 2016)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ditto.errors import CorruptDataError

FEATURES = 1024


class SyncNet(nn.Module):
    """Five pictures of a face, and a fifth of a second of sound, to points of one space."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_sound(1, 64, 3, 1), nn.MaxPool2d(1, 1),
            *_sound(64, 192, 3, 1), nn.MaxPool2d(3, (1, 2)),
            *_sound(192, 384, 3, 1), *_sound(384, 256, 3, 1),
            *_sound(256, 256, 3, 1), nn.MaxPool2d(3, 2),
            *_sound(256, 512, (5, 4), 0),
        )  # fmt: skip
        self.netcnnlip = nn.Sequential(
            *_lips(3, 96, (5, 7, 7), 2, 0), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_lips(96, 256, (1, 5, 5), 2, 1), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_lips(256, 256, (1, 3, 3), 1, 1), *_lips(256, 256, (1, 3, 3), 1, 1),
            *_lips(256, 256, (1, 3, 3), 1, 1), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_lips(256, 512, (1, 6, 6), 1, 0),
        )  # fmt: skip
        self.netfcaud, self.netfclip = _head(), _head()

    def hear(self, mfcc: Tensor) -> Tensor:
        """(N, 1024) of coefficients (N, 1, 13, 20)."""
        features: Tensor = self.netfcaud(self.netcnnaud(mfcc).flatten(1))
        return features

    def see(self, faces: Tensor) -> Tensor:
        """(N, 1024) of BGR faces (N, 3, 5, 224, 224), 0 to 255."""
        features: Tensor = self.netfclip(self.netcnnlip(faces).flatten(1))
        return features


def load_syncnet(path: Path) -> SyncNet:
    """The network with published weights; they are read as tensors, never executed.

    Raises `CorruptDataError` for a file that does not hold them.
    """
    network = SyncNet()
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a wrong file
        raise CorruptDataError(f"{path} does not hold SyncNet's weights: {error}") from error
    return network.eval()


def _sound(inputs: int, outputs: int, size: int | tuple[int, int], pad: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, padding=pad)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def _lips(
    inputs: int, outputs: int, size: tuple[int, int, int], stride: int, pad: int
) -> list[nn.Module]:
    convolution = nn.Conv3d(
        inputs, outputs, size, stride=(1, stride, stride), padding=(0, pad, pad)
    )
    return [convolution, nn.BatchNorm3d(outputs), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, FEATURES)
    )
