"""Turning a network into its inference form: same function, fewer operations.

A module that has a cheaper equal form says so by a `folded()` method; `fold` replaces each of them.
"""

from __future__ import annotations

import copy
from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Foldable(Protocol):
    """A module with an inference form."""

    def folded(self) -> nn.Module: ...


def fold(network: nn.Module) -> nn.Module:
    """A copy of a network, in eval mode, with every foldable part in its inference form.

    Batch norms and spectral norms disappear into weights, so the result has other state-dict keys
    and cannot be trained. The network itself is left as it was.
    """
    if isinstance(network, Foldable):
        return network.folded().eval().requires_grad_(False)
    folded = copy.deepcopy(network).eval()
    _fold_children(folded)
    return folded.requires_grad_(False)


def _fold_children(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, Foldable):
            setattr(module, name, child.folded())
        else:
            _fold_children(child)
