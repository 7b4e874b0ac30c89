"""Linear layers with weights laid out once for the CPU's matrix product.

Torch packs a weight anew in every call; for the 160-row products of motion sampling that is a third
of the time. oneDNN can keep the packed form, and applies GELU while the result is in registers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PackedLinear(nn.Module):
    """`linear(x)`, or `gelu(linear(x))`, with fixed weights; packed when it first runs on a CPU."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, gelu: bool = False) -> None:
        super().__init__()
        self.register_buffer("weight", weight.detach().clone())
        self.register_buffer("bias", bias.detach().clone())
        self.gelu = gelu
        self._packed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        if not self._can_pack(x):
            plain = functional.linear(x, self.weight, self.bias)
            return functional.gelu(plain) if self.gelu else plain
        rows = x.reshape(-1, x.shape[-1])
        if self._packed is None:
            self._packed = torch.ops.mkldnn._reorder_linear_weight(self.weight, len(rows))
        activation = "gelu" if self.gelu else "none"
        out: Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self._packed, self.bias, activation, [], "none"
        )
        return out.view(*x.shape[:-1], -1)

    def _can_pack(self, x: Tensor) -> bool:
        on_cpu = x.device.type == "cpu" and x.dtype == torch.float32
        usable = bool(torch.backends.mkldnn.enabled) and not torch.compiler.is_exporting()
        return on_cpu and usable
