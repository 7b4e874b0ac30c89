"""What the training loop asks of a model: windows, losses, a lip-sync score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Windows = dict[str, Tensor]


@dataclass(frozen=True)
class TermWeights:
    """Share of each row of a loss table in the total."""

    x0: float = 1.0
    velocity: float = 1.0
    acceleration: float = 1.0
    initial: float = 1.0


class Task(Protocol):
    """A network, its data, and how they meet."""

    frames: int
    """Frames of the training clips: an epoch has as many."""

    @property
    def network(self) -> nn.Module:
        """What is trained, averaged and saved."""

    @property
    def objective(self) -> nn.Module:
        """Windows to a loss table (4, C); holds the network, so that each process's runs alike."""

    @property
    def groups(self) -> Mapping[str, Sequence[int]]:
        """Columns of each control region."""

    @property
    def term_weights(self) -> TermWeights:
        """Shares of the terms."""

    def draw(self, count: int, rng: np.random.Generator) -> Windows:
        """``count`` training windows."""

    def facts(self) -> dict[str, Any]:
        """What a checkpoint must tell besides weights."""

    def score(self, network: nn.Module) -> dict[str, float]:
        """Scores of an averaged network on the tuning clips; ``lip_sync`` chooses checkpoints."""

    def sample(self, network: nn.Module) -> NDArray[np.float32]:
        """Motion frames (T, 265) of a tuning clip, to be rendered and looked at."""
