"""Torch modules behind the backend protocol, on the CPU or a CUDA GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ditto.errors import SetupError
from ditto.runtime.backend import Device, Named


class TorchBackend:
    """A module whose positional inputs and outputs have names."""

    def __init__(
        self, module: nn.Module, inputs: Sequence[str], outputs: Sequence[str], device: Device
    ) -> None:
        self._module = module
        self._inputs = tuple(inputs)
        self._outputs = tuple(outputs)
        self._device = torch_device(device)

    @torch.inference_mode()
    def run(self, inputs: Named) -> dict[str, NDArray[Any]]:
        """All outputs of all inputs."""
        given = [torch.from_numpy(inputs[name]).to(self._device) for name in self._inputs]
        result: Tensor | tuple[Tensor, ...] = self._module(*given)
        parts = (result,) if isinstance(result, Tensor) else result
        arrays = (part.float().cpu().numpy() for part in parts)
        return dict(zip(self._outputs, arrays, strict=True))


def load(
    module: nn.Module, inputs: Sequence[str], outputs: Sequence[str], device: Device
) -> TorchBackend:
    """Put a module on a device, for inference. Raises `SetupError` when the device is missing."""
    placed = module.to(torch_device(device)).eval().requires_grad_(False)
    return TorchBackend(placed, inputs, outputs, device)


def set_threads(threads: int) -> None:
    """CPU threads of this process's torch."""
    torch.set_num_threads(threads)


def torch_device(device: Device) -> torch.device:
    """The device as torch names it. Raises `SetupError` when this machine lacks it."""
    if device.kind == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise SetupError(
            f"device {device}: torch {torch.__version__} finds no GPU here; check `nvidia-smi`, "
            "install torch with CUDA (pip install 'ditto-cluster[gpu]'), or set device: cpu"
        )
    if device.index >= torch.cuda.device_count():
        raise SetupError(f"device {device}: this machine has {torch.cuda.device_count()} GPUs")
    return torch.device("cuda", device.index)
