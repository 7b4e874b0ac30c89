"""TensorRT engines behind the backend protocol; device memory is torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ditto.errors import SetupError
from ditto.runtime.backend import Device, Named
from ditto.runtime.tensorrt_library import load_library
from ditto.runtime.torch_backend import torch_device


class TensorRtBackend:
    """One engine with its execution context: for one thread at a time."""

    def __init__(self, engine: Any, device: torch.device) -> None:
        self._library = load_library()
        self._engine = engine  # the context does not keep it alive
        self._context = engine.create_execution_context()
        self._device = device
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self._inputs = [name for name in names if self._is_input(name)]
        self._outputs = [name for name in names if not self._is_input(name)]

    def run(self, inputs: Named) -> dict[str, NDArray[Any]]:
        """All outputs of all inputs; inputs are cast to the types that the engine has."""
        held = {name: self._place(name, inputs[name]) for name in self._inputs}
        for name, tensor in held.items():
            self._context.set_input_shape(name, tuple(tensor.shape))
        for name in self._outputs:
            shape = tuple(self._context.get_tensor_shape(name))
            held[name] = torch.empty(shape, dtype=self._dtype(name), device=self._device)
        for name, tensor in held.items():
            self._context.set_tensor_address(name, tensor.data_ptr())
        stream = torch.cuda.current_stream(self._device)
        if not self._context.execute_async_v3(stream.cuda_stream):
            raise RuntimeError("TensorRT refused to run the engine")
        return {name: held[name].float().cpu().numpy() for name in self._outputs}

    def _is_input(self, name: str) -> bool:
        return bool(self._engine.get_tensor_mode(name) == self._library.TensorIOMode.INPUT)

    def _place(self, name: str, array: NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.to(self._device, self._dtype(name))

    def _dtype(self, name: str) -> torch.dtype:
        numpy_type = self._library.nptype(self._engine.get_tensor_dtype(name))
        return torch.from_numpy(np.empty(0, numpy_type)).dtype


def load(engine: bytes, device: Device) -> TensorRtBackend:
    """Load a serialized engine. Raises `SetupError` when it or the GPU cannot be used."""
    trt = load_library()
    placed = torch_device(device)
    if placed.type != "cuda":
        raise SetupError("backend tensorrt needs device: cuda; engines do not run on the CPU")
    with torch.cuda.device(placed):
        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        loaded = runtime.deserialize_cuda_engine(engine)
    if loaded is None:
        raise SetupError("TensorRT cannot load its own engine: remove the engine cache and restart")
    return TensorRtBackend(loaded, placed)
