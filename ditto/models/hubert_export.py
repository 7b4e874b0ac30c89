"""The streaming speech encoder as an ONNX graph of the released names."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from ditto.models.hubert_graph import (
    EXAMPLE_SAMPLES,
    INPUT,
    MAX_SAMPLES,
    MIN_SAMPLES,
    OUTPUT,
)
from ditto.models.hubert_streaming import StreamingHubert

OPSET = 20


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
