"""Engines of every network, built without a GPU: dynamic batch, float32 and float16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from ditto.errors import SetupError
from ditto.models.checkpoint import LAYOUTS as CHECKPOINTS
from ditto.models.export import LAYOUTS, GuidedDenoiser, export_module, export_network
from ditto.models.folding import fold
from ditto.models.hubert import Hubert
from ditto.models.hubert_export import export_streaming
from ditto.models.hubert_streaming import StreamingHubert
from ditto.models.lmdm import Lmdm
from ditto.packs.ditto.engine_plans import IN_FLOAT32, engine_plan
from ditto.packs.ditto.sizes import TINY
from ditto.runtime.onnx_half import convert_to_half
from ditto.runtime.tensorrt_builder import EnginePlan, ShapeRange, build_engine
from tests.models import small_networks

GPU = "SM89"
"""What is built for; no GPU is needed."""


def build_both(graph: Path, plan: EnginePlan) -> tuple[bytes, bytes]:
    """The engine of a graph in float32 and in float16."""
    half = graph.with_name("half.onnx")
    convert_to_half(graph, half)
    return build_engine(graph, plan, GPU), build_engine(half, plan, GPU)


@pytest.mark.parametrize("name", LAYOUTS)
def test_small_networks(name: str, tmp_path: Path) -> None:
    network, example = small_networks.build(name), small_networks.inputs(name, batch=2)
    module = GuidedDenoiser(network) if isinstance(network, Lmdm) else network
    graph = tmp_path / f"{name}.onnx"
    export_module(fold(module), example, LAYOUTS[name].outputs, graph)
    ranges = {
        key: ShapeRange(*((batch, *tensor.shape[1:]) for batch in (1, 1, 4)))
        for key, tensor in example.items()
    }
    for engine in build_both(graph, EnginePlan(ranges, half=False)):
        assert len(engine) > 10_000


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", LAYOUTS)
def test_released_sizes(name: str, tmp_path: Path) -> None:
    """Weights do not matter here."""
    graph = tmp_path / f"{name}.onnx"
    export_network(name, CHECKPOINTS[name].build().eval(), graph)
    full, half = build_both(graph, engine_plan(name))
    assert len(full) > 0.9 * sum(_weight_bytes(graph))
    assert len(half) < 0.8 * len(full) or name == "stitch_network"


def test_the_speech_encoder_takes_windows_of_any_length(tmp_path: Path) -> None:
    streaming = StreamingHubert(fold(Hubert(TINY.hubert)), torch.zeros(16_000)).eval()
    graph = tmp_path / "hubert.onnx"
    export_streaming(streaming, graph)
    assert len(build_engine(graph, engine_plan("hubert"), GPU)) > 10_000


def test_plans_follow_the_released_engines() -> None:
    halves = {name for name in LAYOUTS if engine_plan(name).half}
    assert halves == {"appearance_extractor", "warp_network", "decoder", "stitch_network"}
    assert {"motion_extractor", "lmdm", "hubert"} == IN_FLOAT32
    samples = engine_plan("hubert").ranges["input_values"]
    assert samples == ShapeRange((1, 3240), (1, 6480), (1, 12_960))
    assert engine_plan("decoder").ranges["feature"].largest == (4, 256, 64, 64)


def test_a_graph_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    graph = tmp_path / "odd.onnx"
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("NoSuchThing", ["x"], ["y"], domain="nowhere")
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [value], [out]))
    onnx.save(model, graph)
    with pytest.raises(SetupError, match=r"odd\.onnx: TensorRT .* cannot read it: .+"):
        build_engine(graph, EnginePlan({}, half=False), GPU)


def _weight_bytes(graph: Path) -> list[int]:
    weights = onnx.load(graph).graph.initializer
    return [int(np.prod(weight.dims)) * 4 for weight in weights]
