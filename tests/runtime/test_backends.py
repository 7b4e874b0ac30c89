"""Torch and ONNX Runtime behind one protocol: same names, same numbers, clear refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from ditto.errors import CorruptDataError, SetupError
from ditto.models.export import LAYOUTS
from ditto.runtime import onnx_backend, torch_backend
from ditto.runtime.backend import Device, parse_device
from ditto.runtime.onnx_half import convert_to_half
from tests.models import small_networks

pytestmark = pytest.mark.filterwarnings("ignore")  # the exporter's, on every assertion
CPU = Device("cpu")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "stitch_network.onnx"
    example = small_networks.inputs("stitch_network", batch=2)
    torch.onnx.export(
        small_networks.build("stitch_network"),
        tuple(example.values()),
        str(path),
        input_names=list(example),
        output_names=["out"],
        dynamic_axes={name: {0: "batch"} for name in (*example, "out")},
        dynamo=False,  # the quick exporter
    )
    return path


def _inputs(batch: int = 3) -> dict[str, np.ndarray]:
    tensors = small_networks.inputs("stitch_network", batch, seed=batch)
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def test_both_give_the_same_numbers_under_the_same_names(graph: Path) -> None:
    layout = LAYOUTS["stitch_network"]
    module = small_networks.build("stitch_network")
    torch_one = torch_backend.load(module, list(layout.inputs), layout.outputs, CPU)
    onnx_one = onnx_backend.load(graph, CPU)
    assert set(onnx_one.inputs) == set(layout.inputs)
    for batch in (1, 3):
        ours, theirs = torch_one.run(_inputs(batch)), onnx_one.run(_inputs(batch))
        assert ours.keys() == theirs.keys() == {"out"}
        assert ours["out"].shape == (batch, 21, 3)
        assert np.abs(ours["out"] - theirs["out"]).max() < 1e-5


def test_outputs_can_be_named_by_position(graph: Path) -> None:
    renamed = onnx_backend.load(graph, CPU, outputs=("kp_driving",))
    assert renamed.run(_inputs()).keys() == {"kp_driving"}


def test_inputs_are_cast_to_the_types_of_the_graph(graph: Path) -> None:
    backend = onnx_backend.load(graph, CPU)
    doubles = {name: array.astype(np.float64) for name, array in _inputs().items()}
    assert np.array_equal(backend.run(doubles)["out"], backend.run(_inputs())["out"])


def test_half_precision_stays_near(graph: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.onnx"
    convert_to_half(graph, half)
    assert half.stat().st_size < 0.7 * graph.stat().st_size
    outputs = [onnx_backend.load(path, CPU).run(_inputs())["out"] for path in (graph, half)]
    assert outputs[1].dtype == np.float32
    assert 0 < np.abs(outputs[0] - outputs[1]).max() < 5e-3


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nothing\.onnx is missing"):
        onnx_backend.load(tmp_path / "nothing.onnx", CPU)
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(CorruptDataError, match="no usable ONNX file"):
        onnx_backend.load(tmp_path / "broken.onnx", CPU)


def test_a_gpu_that_is_not_there(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    gpu = parse_device("cuda:1")
    with pytest.raises(SetupError, match=r"finds no GPU here.*set device: cpu"):
        torch_backend.torch_device(gpu)
    with pytest.raises(SetupError, match=r"no CUDA; .*onnxruntime-gpu.*set device: cpu"):
        onnx_backend.load(graph, gpu)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(SetupError, match="has 1 GPUs"):
        torch_backend.torch_device(gpu)


@pytest.mark.parametrize("text", ["cpu:0", "gpu", "cuda:", "cuda:x", ""])
def test_devices_that_are_none(text: str) -> None:
    with pytest.raises(SetupError, match="is not cpu, cuda or cuda:N"):
        parse_device(text)


@pytest.mark.parametrize("text", ["cpu", "cuda:0", "cuda:3"])
def test_devices_read_back(text: str) -> None:
    assert str(parse_device(text)) == text
    assert parse_device("cuda") == Device("cuda", 0)
