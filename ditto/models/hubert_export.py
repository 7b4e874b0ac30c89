"""The streaming speech encoder as an ONNX graph of the released names, and its int8 form.

Input `input_values` (1, N) float32; output `encoding_out` (T, D), without a batch axis.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import cast

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from ditto.models.hubert_streaming import StreamingHubert

INPUT, OUTPUT = "input_values", "encoding_out"
OPSET = 20
EXAMPLE_SAMPLES = 6480
MIN_SAMPLES, MAX_SAMPLES = 3240, 12960
"""Window lengths that the released engines were built for."""


class ReleasedForm(nn.Module):
    """(1, N) to (T, D)."""

    def __init__(self, streaming: StreamingHubert) -> None:
        super().__init__()
        self.streaming = streaming

    def forward(self, input_values: Tensor) -> Tensor:
        """One window's samples to its tokens."""
        return cast(Tensor, self.streaming(input_values))[0]


def export_streaming(streaming: StreamingHubert, path: Path) -> None:
    """Write the graph, corpus memory inside, for windows of any length in the released range."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    samples = torch.export.Dim.DYNAMIC(min=MIN_SAMPLES, max=MAX_SAMPLES)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            ReleasedForm(streaming).eval(),
            (torch.zeros(1, EXAMPLE_SAMPLES),),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({1: samples},),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def quantise(path: Path, target: Path) -> None:
    """Write the graph with int8 weights, a scale for each output channel; activations as they come.

    Matrix products alone are quantised: the convolutions are a seventh of the work and lose more.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
