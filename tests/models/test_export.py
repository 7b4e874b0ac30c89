"""ONNX graphs of small sizes: released names, dynamic batch, the numbers of torch."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from ditto.models.checkpoint import LAYOUTS as CHECKPOINTS
from ditto.models.export import LAYOUTS, GuidedDenoiser, export_module, export_network
from ditto.models.folding import fold
from ditto.models.generated_weights import load_generated
from ditto.models.lmdm import Lmdm
from ditto.models.lmdm_segment import SegmentSampler
from tests.models.small_networks import SMALL_LMDM, build, inputs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _assert_same(
    session: onnxruntime.InferenceSession, module: nn.Module, given: dict[str, Tensor]
) -> None:
    got = session.run(None, {name: value.numpy() for name, value in given.items()})
    with torch.no_grad():
        expected = module(*given.values())
    expected = (expected,) if isinstance(expected, Tensor) else expected
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_graph_equals_torch_at_any_batch(name: str, tmp_path: Path) -> None:
    network = build(name)
    module = GuidedDenoiser(network) if isinstance(network, Lmdm) else fold(network)
    path = tmp_path / "graph.onnx"
    export_module(module, inputs(name, 2), LAYOUTS[name].outputs, path)
    session = _session(path)
    assert [given.name for given in session.get_inputs()] == list(LAYOUTS[name].inputs)
    assert [out.name for out in session.get_outputs()] == list(LAYOUTS[name].outputs)
    for batch in (1, 3):
        _assert_same(session, module, inputs(name, batch, seed=batch))


def test_segment_graph_equals_torch(tmp_path: Path) -> None:
    sampler = SegmentSampler(cast(Lmdm, build("lmdm")), 3)

    def given(batch: int) -> dict[str, Tensor]:
        case = inputs("lmdm", batch)
        return {
            "initial_noise": case["x"],
            "step_noises": torch.randn(2, batch, SMALL_LMDM.frames, SMALL_LMDM.motion_dim),
            "cond_frame": case["cond_frame"],
            "cond": case["cond"],
        }

    path = tmp_path / "segment.onnx"
    export_module(sampler, given(2), ("motion",), path, batch_axis={"step_noises": 1})
    session = _session(path)
    for batch in (1, 3):
        _assert_same(session, sampler, given(batch))


@pytest.mark.parametrize("name", ["stitch_network", "lmdm"])
def test_released_size(name: str, tmp_path: Path) -> None:
    network = load_generated(CHECKPOINTS[name].build())
    path = tmp_path / f"{name}.onnx"
    export_network(name, network, path)
    shapes = {given.name: given.shape for given in _session(path).get_inputs()}
    for key, shape in LAYOUTS[name].inputs.items():
        assert shapes[key][1:] == list(shape[1:])
        assert isinstance(shapes[key][0], str)
