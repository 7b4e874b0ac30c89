"""ONNX graphs to TensorRT engines, with a range of shapes for each input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ditto.errors import SetupError
from ditto.runtime.tensorrt_library import load_library

Shape = tuple[int, ...]


@dataclass(frozen=True)
class ShapeRange:
    """Shapes that an engine takes for one input."""

    smallest: Shape
    usual: Shape
    """What the engine is tuned for."""
    largest: Shape


@dataclass(frozen=True)
class EnginePlan:
    """How one network's engine is built."""

    ranges: Mapping[str, ShapeRange]
    half: bool
    """Products in float16; the graph itself is converted, since engines keep a graph's types."""

    @property
    def precision(self) -> str:
        """As released engines are named."""
        return "fp16" if self.half else "fp32"


def build_engine(graph: Path, plan: EnginePlan, capability: str | None = None) -> bytes:
    """The engine of an ONNX graph, for this machine's GPU.

    `capability`, for example ``SM89``, builds for another GPU, or without any; `tensorrt_rtx` alone
    can. Raises `SetupError` with TensorRT's own words when the graph cannot be built.
    """
    trt = load_library()
    log = _logger(trt)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(graph)):
        reasons = "; ".join(str(parser.get_error(i).desc()) for i in range(parser.num_errors))
        raise SetupError(f"{graph}: TensorRT {trt.__version__} cannot read it: {reasons}")
    config = builder.create_builder_config()
    if capability is not None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, capability), 0)
    config.add_optimization_profile(_profile(builder, network, plan))
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise SetupError(f"{graph}: TensorRT {trt.__version__} built no engine: {log.last_error}")
    return bytes(engine)


def _profile(builder: Any, network: Any, plan: EnginePlan) -> Any:
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        name = network.get_input(index).name
        shapes = plan.ranges[name]
        profile.set_shape(name, shapes.smallest, shapes.usual, shapes.largest)
    return profile


def _logger(trt: ModuleType) -> Any:
    class Log(trt.ILogger):  # type: ignore[name-defined,misc]
        """Keeps the last error; TensorRT explains failures nowhere else."""

        def __init__(self) -> None:
            super().__init__()
            self.last_error = "no reason given"

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.ERROR:
                self.last_error = message

    return Log()
