"""Loading the recipe's weights into a network."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

from ditto.models.recipe import generate_state

Network = TypeVar("Network", bound=nn.Module)


def load_generated(network: Network) -> Network:
    """Give a network the recipe's weights, in place; returns it in eval mode."""
    state = network.state_dict()
    for key, value in generate_state({k: tuple(v.shape) for k, v in state.items()}).items():
        state[key] = torch.from_numpy(value)
    network.load_state_dict(state, strict=True)
    return network.eval()
