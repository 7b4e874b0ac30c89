"""Adaptive loss weights: control regions that lag get more of the loss (paper 3.2.2, Table 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


class AdaptiveWeights:
    """Weights of the groups of motion numbers, renewed after every epoch.

    The change of a group's mean loss from the last epoch to this one, as a share of the last, goes
    through a softmax over the groups; times their number, so that the mean weight stays 1. A group
    whose loss falls less than the others' counts more in the next epoch. (The paper takes the plain
    difference; a share does not depend on a group's unit.)
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[int]],
        width: int,
        epoch_steps: int,
        enabled: bool = True,
    ) -> None:
        """groups: columns of each region; they share out all ``width`` columns."""
        owner = torch.full((width,), -1)
        for number, columns in enumerate(groups.values()):
            owner[list(columns)] = number
        assert (owner >= 0).all(), "every column needs a group"
        self.names = tuple(groups)
        self._owner, self._epoch_steps, self._enabled = owner, max(1, epoch_steps), enabled
        self.weights = torch.ones(len(groups))
        self._sum = torch.zeros(len(groups))
        self._steps = 0
        self._last = torch.zeros(0)

    def columns(self) -> Tensor:
        """(C,) the weight of every column."""
        return self.weights[self._owner]

    def observe(self, losses: Tensor) -> None:
        """Take the mean losses (C,) of one step, before weights; ends an epoch where one is due."""
        if not self._enabled:
            return
        losses = losses.detach().float().cpu()
        counts = torch.bincount(self._owner, minlength=len(self.names))
        self._sum += torch.zeros_like(self._sum).index_add_(0, self._owner, losses) / counts
        self._steps += 1
        if self._steps == self._epoch_steps:
            self._end_epoch()

    def _end_epoch(self) -> None:
        mean = self._sum / self._steps
        if len(self._last):
            change = (mean - self._last) / (self._last + 1e-12)
            self.weights = len(self.names) * change.softmax(0)
        self._last, self._sum, self._steps = mean, torch.zeros_like(mean), 0

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {
            "weights": self.weights,
            "sum": self._sum,
            "steps": self._steps,
            "last": self._last,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        self.weights, self._sum = state["weights"], state["sum"].clone()
        self._steps, self._last = state["steps"], state["last"]
