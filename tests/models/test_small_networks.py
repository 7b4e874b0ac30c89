"""Small sizes of the published networks: inference forms and batches give the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ditto.models.decoder import Decoder
from ditto.models.folding import fold
from ditto.models.warp_folded import FoldedWarpNetwork
from tests.models.small_networks import BUILDERS, build, inputs

FOLDABLE = ["appearance_extractor", "motion_extractor", "warp_network", "decoder"]


def _outputs(got: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (got,) if isinstance(got, Tensor) else tuple(got)


@torch.no_grad()
@pytest.mark.parametrize("name", FOLDABLE)
@pytest.mark.parametrize("batch", [1, 3])
def test_inference_form_equals_the_network(name: str, batch: int) -> None:
    network = build(name)
    given = inputs(name, batch).values()
    plain, folded = _outputs(network(*given)), _outputs(fold(network)(*given))
    for one, other in zip(plain, folded, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=2e-5)


@torch.no_grad()
@pytest.mark.parametrize("name", list(BUILDERS))
def test_a_batch_equals_its_samples(name: str) -> None:
    network = fold(build(name))
    given = inputs(name, 3)
    together = _outputs(network(*given.values()))
    for index in range(3):
        alone = _outputs(network(*(value[index : index + 1] for value in given.values())))
        for one, all_of_them in zip(alone, together, strict=True):
            torch.testing.assert_close(all_of_them[index : index + 1], one, rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_one_prepared_source_serves_a_batch_of_frames() -> None:
    network = build("warp_network")
    folded = fold(network)
    assert isinstance(folded, FoldedWarpNetwork)
    given = inputs("warp_network", 3)
    feature, kp_source = given["feature_3d"][:1], given["kp_source"][:1]
    frames = folded.warp(folded.prepare(feature, kp_source), given["kp_driving"])
    expected = network(
        feature.expand(3, -1, -1, -1, -1), kp_source.expand(3, -1, -1), given["kp_driving"]
    )
    torch.testing.assert_close(frames, expected, rtol=1e-4, atol=2e-5)


def test_folding_leaves_the_network_as_it_was() -> None:
    network = build("decoder")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fold(network)
    assert isinstance(network, Decoder)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("appearance_extractor", {"image": torch.zeros(1, 1, 32, 32)}),
        ("motion_extractor", {"image": torch.zeros(3, 64, 64)}),
        ("warp_network", {"kp_driving": torch.zeros(1, 4, 3)}),
        ("decoder", {"feature": torch.zeros(1, 7, 8, 8)}),
        ("stitch_network", {"kp_source": torch.zeros(1, 63)}),
        ("lmdm", {"cond": torch.zeros(1, 12, 8)}),
    ],
)
def test_wrong_shapes_are_named(name: str, broken: dict[str, Tensor]) -> None:
    given = {**inputs(name, 1), **broken}
    with pytest.raises(AssertionError, match="must"):
        build(name)(*given.values())
