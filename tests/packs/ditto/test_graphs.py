"""The stages over graphs of the released names give what they give in torch (tiny networks)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ditto.diffusion.ddim_noise import SegmentNoise, seeded_noise
from ditto.models.export import LAYOUTS, GuidedDenoiser
from ditto.models.lmdm import Lmdm
from ditto.packs.ditto.render_networks import (
    HEADS,
    NAMES,
    GraphRenderNetworks,
    TorchRenderNetworks,
)
from ditto.packs.ditto.samplers import GraphSampler, TorchSampler
from ditto.packs.ditto.weights import Weights
from ditto.runtime import torch_backend
from ditto.runtime.backend import Backend, Device

TINY = Weights(None, tiny=True)
CPU = Device("cpu")
RNG = np.random.default_rng(8)


def _graph(name: str) -> Backend:
    """A network behind the names of its released graph."""
    network = TINY.network(name)
    module = GuidedDenoiser(network) if isinstance(network, Lmdm) else network
    layout = LAYOUTS[name]
    return torch_backend.load(module, list(layout.inputs), layout.outputs, CPU)


@pytest.fixture(scope="module")
def both() -> tuple[TorchRenderNetworks, GraphRenderNetworks]:
    networks = {name: TINY.network(name) for name in NAMES}
    return (
        TorchRenderNetworks(networks, torch.device("cpu")),
        GraphRenderNetworks({name: _graph(name) for name in NAMES}),
    )


def _keypoints() -> np.ndarray:
    return RNG.uniform(-0.4, 0.4, (1, 21, 3)).astype(np.float32)


def test_registration_is_equal(both: tuple[TorchRenderNetworks, GraphRenderNetworks]) -> None:
    image = RNG.random((1, 3, 256, 256), np.float32)
    ours, theirs = both
    assert np.allclose(ours.appearance(image), theirs.appearance(image), atol=1e-4)
    motions = ours.motion(image), theirs.motion(image)
    for head in HEADS:
        assert np.allclose(motions[0][head], motions[1][head], atol=1e-4)


def test_frames_are_equal(both: tuple[TorchRenderNetworks, GraphRenderNetworks]) -> None:
    volume = RNG.normal(0, 1, (1, 2, 2, 64, 64)).astype(np.float32)
    source, driving = _keypoints(), _keypoints()
    stitched = [networks.stitch(source, driving) for networks in both]
    assert np.allclose(*stitched, atol=1e-5)
    frames = [n.render([n.source(volume, source)], stitched[0]) for n in both]
    assert frames[0].shape == frames[1].shape == (1, 512, 512, 3)
    assert np.abs(frames[0] - frames[1]).max() < 1e-3


def test_half_precision_stays_near(
    both: tuple[TorchRenderNetworks, GraphRenderNetworks],
) -> None:
    networks = {name: TINY.network(name) for name in NAMES}
    half = TorchRenderNetworks(networks, torch.device("cpu"), half=True)
    volume = RNG.normal(0, 1, (1, 2, 2, 64, 64)).astype(np.float32)
    source, driving = _keypoints(), _keypoints()
    frames = [n.render([n.source(volume, source)], driving) for n in (both[0], half)]
    assert frames[1].dtype == np.float32
    difference = np.abs(frames[0] - frames[1])
    assert difference.max() > 0
    assert difference.mean() < 1e-2


@pytest.mark.parametrize("steps", [1, 3])
def test_segments_are_equal(steps: int) -> None:
    lmdm = TINY.network("lmdm")
    assert isinstance(lmdm, Lmdm)
    params = lmdm.params
    noises = [seeded_noise(seed, -70, params.frames, params.motion_dim, steps) for seed in (1, 2)]
    noise = SegmentNoise(
        np.concatenate([one.initial for one in noises]),
        np.concatenate([one.steps for one in noises], axis=1),
    )
    frame = RNG.normal(0, 0.3, (2, params.motion_dim)).astype(np.float32)
    cond = RNG.normal(0, 1, (2, params.frames, params.cond_dim)).astype(np.float32)
    ours = TorchSampler(lmdm, torch.device("cpu")).sample(noise, frame, cond)
    theirs = GraphSampler(_graph("lmdm"), params.frames, params.cond_dim).sample(noise, frame, cond)
    assert ours.shape == theirs.shape == (2, params.frames, params.motion_dim)
    assert np.abs(ours - theirs).max() < 1e-4


def test_a_sampler_keeps_two_step_counts_at_most() -> None:
    lmdm = TINY.network("lmdm")
    assert isinstance(lmdm, Lmdm)
    sampler = TorchSampler(lmdm, torch.device("cpu"))
    frame = np.zeros((1, lmdm.params.motion_dim), np.float32)
    cond = np.zeros((1, lmdm.params.frames, lmdm.params.cond_dim), np.float32)
    for steps in (1, 2, 3, 2):
        sampler.sample(seeded_noise(0, 0, lmdm.params.frames, 265, steps), frame, cond)
    assert list(sampler._samplers) == [3, 2]
