"""ONNX files behind the backend protocol, run by ONNX Runtime on the CPU or a CUDA GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, SetupError
from ditto.runtime.backend import Device, Named

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class OnnxBackend:
    """One session; safe to share between threads."""

    def __init__(self, session: ort.InferenceSession, outputs: Sequence[str]) -> None:
        self._session = session
        self._types = {node.name: _TYPES[node.type] for node in session.get_inputs()}
        self._outputs = tuple(outputs)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(self._types)

    def run(self, inputs: Named) -> dict[str, NDArray[Any]]:
        """All outputs of all inputs; inputs are cast to the types that the graph has."""
        given = {
            name: np.ascontiguousarray(inputs[name], dtype) for name, dtype in self._types.items()
        }
        found = self._session.run(None, given)
        return dict(zip(self._outputs, found, strict=False))


def load(
    path: Path, device: Device, outputs: Sequence[str] | None = None, threads: int = 1
) -> OnnxBackend:
    """Load an ONNX file.

    `outputs` names them by position, as the released files are read; None takes the file's names.
    Raises `SetupError` for a missing file or GPU, `CorruptDataError` for a file that is no graph.
    """
    if not path.is_file():
        raise SetupError(f"{path} is missing; `ditto models pull ditto` or `convert` makes it")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(str(path), options, providers=_providers(device))
    except SetupError:
        raise
    except Exception as error:  # onnxruntime's own classes are private
        raise CorruptDataError(f"{path} is no usable ONNX file: {error}") from error
    if device.kind == "cuda" and session.get_providers()[0] != _CUDA:
        raise SetupError(f"device {device}: ONNX Runtime could not use the GPU; {_MEND}")
    return OnnxBackend(session, outputs or [node.name for node in session.get_outputs()])


_MEND = (
    "check `nvidia-smi`, install onnxruntime-gpu in place of onnxruntime with the CUDA and cuDNN "
    "that it needs, or set device: cpu"
)


def _providers(device: Device) -> list[str | tuple[str, dict[str, int]]]:
    if device.kind == "cpu":
        return [_CPU]
    if _CUDA not in ort.get_available_providers():
        raise SetupError(f"device {device}: this ONNX Runtime has no CUDA; {_MEND}")
    return [(_CUDA, {"device_id": device.index}), _CPU]
