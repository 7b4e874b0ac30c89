"""ONNX graphs in half precision, with float32 kept where half would lose the picture."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

KEPT_IN_FLOAT32 = (
    "GridSample",
    "InstanceNormalization",
    "LayerNormalization",
    "Softmax",
    "Exp",
    "Sqrt",
    "Pow",
    "ReduceMean",
    "ReduceSum",
    "Sigmoid",
)
"""Sampling places (half a pixel of 64 has 11 bits), statistics and exponentials."""


def convert_to_half(path: Path, target: Path) -> None:
    """Write a float32 graph with float16 products; inputs and outputs stay float32."""
    graph = convert_float_to_float16(
        onnx.load(path),
        keep_io_types=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *KEPT_IN_FLOAT32],
    )
    part = target.with_suffix(".part")
    onnx.save(graph, part)
    part.replace(target)
