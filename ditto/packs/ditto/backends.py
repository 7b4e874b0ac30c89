"""A network of this pack, loaded in the backend and on the device that the options name."""

from __future__ import annotations

from pathlib import Path

from ditto.errors import SetupError
from ditto.models.hubert_graph import INPUT, OUTPUT
from ditto.packs.ditto.options import DittoOptions
from ditto.packs.ditto.weights import Weights
from ditto.packs.store import cache_dir
from ditto.runtime.backend import Backend, Device, parse_device
from ditto.runtime.engine_cache import EngineTag, ensure_engine


def load_graph(name: str, options: DittoOptions, weights: Weights) -> Backend:
    """One of the six networks from its ONNX file. Raises `SetupError`."""
    from ditto.models.export import LAYOUTS

    device = parse_device(options.device)
    outputs = LAYOUTS[name].outputs
    return _load_file(weights.graph(name), name, outputs, device, options, weights.tag)


def load_hubert(options: DittoOptions, weights: Weights) -> Backend:
    """The speech encoder: in torch from the recipe, else from its ONNX file. Raises `SetupError`.

    It is released as ONNX alone, so that backend torch runs the file in ONNX Runtime.
    """
    device = parse_device(options.device)
    if weights.folder is None:
        from ditto.models.hubert_export import ReleasedForm
        from ditto.runtime import torch_backend

        torch_backend.set_threads(options.threads)
        return torch_backend.load(ReleasedForm(weights.hubert()), [INPUT], [OUTPUT], device)
    path = weights.hubert_graph(options.quantised)
    return _load_file(path, "hubert", (OUTPUT,), device, options, weights.tag)


def _load_file(
    path: Path,
    name: str,
    outputs: tuple[str, ...],
    device: Device,
    options: DittoOptions,
    weights_tag: str,
) -> Backend:
    if options.backend != "tensorrt":
        from ditto.runtime import onnx_backend

        return onnx_backend.load(path, device, outputs, options.threads)
    if options.quantised and name == "hubert":
        raise SetupError("quantised: the int8 speech encoder runs in onnxruntime, not in tensorrt")
    from ditto.runtime import tensorrt_backend

    return tensorrt_backend.load(_engine(path, name, device, weights_tag), device)


def _engine(path: Path, name: str, device: Device, weights_tag: str) -> bytes:
    """The network's engine for this GPU: cached, or built now, which takes minutes."""
    import torch

    from ditto.packs.ditto.engine_plans import engine_plan
    from ditto.runtime.onnx_half import convert_to_half
    from ditto.runtime.tensorrt_builder import build_engine
    from ditto.runtime.tensorrt_library import load_library
    from ditto.runtime.torch_backend import torch_device

    gpu = torch.cuda.get_device_name(torch_device(device))
    plan = engine_plan(name)
    tag = EngineTag(name, plan.precision, gpu, str(load_library().__version__), weights_tag)
    folder = cache_dir() / "engines"

    def build() -> bytes:
        graph = path
        if plan.half:
            graph = folder / f"{name}-{weights_tag}-fp16.onnx"
            convert_to_half(path, graph)
        return build_engine(graph, plan)

    return ensure_engine(folder, tag, build)
