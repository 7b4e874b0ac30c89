"""The speech encoder's graph as others see it: names, window lengths, and its int8 form. No torch.

Input `input_values` (1, N) float32; output `encoding_out` (T, D), without a batch axis.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

INPUT, OUTPUT = "input_values", "encoding_out"
EXAMPLE_SAMPLES = 6480
MIN_SAMPLES, MAX_SAMPLES = 3240, 12960
"""Window lengths that the released engines were built for."""


def quantise(path: Path, target: Path) -> None:
    """Write the graph with int8 weights, a scale for each output channel; activations as they come.

    Matrix products alone are quantised: the convolutions are a seventh of the work and lose more.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

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
