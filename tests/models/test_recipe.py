"""The recipe's weights and inputs, bit for bit, and the networks' state-dict layouts."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
import torch

from ditto.models import recipe_inputs
from ditto.models.checkpoint import LAYOUTS
from ditto.models.generated_weights import load_generated
from tests.golden.logic import SMALL, table

LARGE = ("warp_network", "decoder")
BY_SIZE = [
    pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in LAYOUTS
]


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_state_dict_layout(name: str) -> None:
    with torch.device("meta"):
        network = LAYOUTS[name].build()
    golden = table(SMALL, f"{name}.keys")
    layout = [
        [key, list(value.shape), str(value.dtype).removeprefix("torch.")]
        for key, value in network.state_dict().items()
    ]
    assert layout == [row[:3] for row in golden["keys"]]
    assert sum(p.numel() for p in network.parameters()) == golden["total_params"]


@pytest.mark.parametrize("name", BY_SIZE)
def test_generated_weights(name: str) -> None:
    state = load_generated(LAYOUTS[name].build()).state_dict()
    for key, _, _, checksum in table(SMALL, f"{name}.keys")["keys"]:
        assert _checksum(state[key].numpy()) == checksum, key


def test_recipe_inputs() -> None:
    assert _checksum(recipe_inputs.image(0)) == "90e22930"
    assert _checksum(recipe_inputs.image(1)) == "b914affc"
    assert _checksum(recipe_inputs.driving_keypoints(0)) == "a46f25d7"
    assert _checksum(recipe_inputs.driving_keypoints(1)) == "4a3838ff"
    assert _checksum(recipe_inputs.warped_feature(0)) == "613f1436"
    assert _checksum(recipe_inputs.condition(0)) == "af9ffd51"
    assert _checksum(recipe_inputs.initial_noise()) == "cdc0e0ee"
    assert _checksum(recipe_inputs.step_noises(2)[1]) == "ad16b399"


def _checksum(array: np.ndarray[Any, Any]) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(array).tobytes()):08x}"
