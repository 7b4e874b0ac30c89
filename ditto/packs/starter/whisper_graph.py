"""Builds the Whisper encoder as an ONNX graph for windows of one second.

The published encoder takes 30 s of log-mel. Ours takes one second without padding, and computes the
last layer for the frames that a unit keeps alone, which changes nothing in them.

Shapes: B batch, M mel frames (100), T encoder frames at 50 Hz (50), K kept frames (10), D width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ditto.packs.starter.ctranslate2_file import Variables, read_variables
from ditto.packs.starter.mel import POWER_BINS, mel_bank
from ditto.packs.starter.whisper_window import (
    KEPT_FRAMES,
    LOOK_AHEAD_FRAMES,
    STACKED,
    WIDTH,
    WINDOW_FRAMES,
    WINDOW_MEL_FRAMES,
)

_LAYERS = 4
_HEADS = 6
_HEAD_WIDTH = WIDTH // _HEADS
_LOG10_OF_E = np.float32(np.log10(np.e))
_OPSET = 20
_IR_VERSION = 10


def convert(source: Path, target: Path) -> None:
    """Write the ONNX graph made from the CTranslate2 weights `source` to `target`.

    Raises `ditto.errors.CorruptDataError` when `source` is not such a file.
    """
    onnx.save(build_graph(read_variables(source, "encoder/")), target)


def build_graph(weights: Variables) -> onnx.ModelProto:
    """Graph `power` (B, 100, 201) -> `features` (B, 5, 768): the unit's frames, stacked in twos."""
    graph = _Graph(weights)
    x = graph.log_mel("power")  # (B, 80, M)
    x = graph.convolutions(x)  # (B, T, D)
    for layer in range(_LAYERS):
        x = graph.layer(x, f"encoder/layer_{layer}", last=layer == _LAYERS - 1)
    x = graph.layer_norm(x, "encoder/layer_norm")  # (B, K, D)
    shape = graph.constant(np.array([0, KEPT_FRAMES // STACKED, STACKED * WIDTH]))
    graph.node("Reshape", [x, shape], output="features")
    return graph.model()


class _Graph:
    """Collects nodes and initialisers; every method appends and returns the output's name."""

    def __init__(self, weights: Variables) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, onnx.TensorProto] = {}

    def log_mel(self, power: str) -> str:
        """Bands as log10, floored at 8 below the window's own maximum, then (x + 4) / 4."""
        bands = self.node("MatMul", [power, self.constant(mel_bank())])
        bands = self.node("Max", [bands, self.constant(np.float32(1e-10))])
        log10 = self.node("Mul", [self.node("Log", [bands]), self.constant(_LOG10_OF_E)])
        peak = self.node("ReduceMax", [log10, self.constant(np.array([1, 2]))])
        floor = self.node("Sub", [peak, self.constant(np.float32(8))])
        raised = self.node("Add", [self.node("Max", [log10, floor]), self.constant(np.float32(4))])
        scaled = self.node("Mul", [raised, self.constant(np.float32(0.25))])
        return self.node("Transpose", [scaled], perm=[0, 2, 1])

    def convolutions(self, mel: str) -> str:
        """Two convolutions, the second halving the rate, and the position of each frame."""
        x = mel
        for name, stride in (("encoder/conv1", 1), ("encoder/conv2", 2)):
            inputs = [x, self.weight(f"{name}/weight"), self.weight(f"{name}/bias")]
            x = self.node("Conv", inputs, kernel_shape=[3], pads=[1, 1], strides=[stride])
            x = self.node("Gelu", [x])
        x = self.node("Transpose", [x], perm=[0, 2, 1])
        positions = self._weights["encoder/position_encodings/encodings"][:WINDOW_FRAMES]
        return self.node("Add", [x, self.constant(positions.astype(np.float32))])

    def layer(self, x: str, name: str, last: bool) -> str:
        """One pre-norm transformer layer; the last one narrows T to the K kept frames."""
        normed = self.layer_norm(x, f"{name}/self_attention/layer_norm")
        queries = normed
        if last:
            x, queries = self.kept(x), self.kept(normed)
        x = self.node("Add", [x, self.attention(queries, normed, f"{name}/self_attention")])
        hidden = self.layer_norm(x, f"{name}/ffn/layer_norm")
        hidden = self.node("Gelu", [self.linear(hidden, f"{name}/ffn/linear_0")])
        return self.node("Add", [x, self.linear(hidden, f"{name}/ffn/linear_1")])

    def attention(self, queries: str, keys: str, name: str) -> str:
        """Multi-head attention of `queries` (B, K or T, D) over `keys` (B, T, D)."""
        q, k, v = (
            self.linear(x, f"{name}/linear_0", rows=slice(i * WIDTH, (i + 1) * WIDTH))
            for i, x in enumerate((queries, keys, keys))
        )
        q = self.node("Mul", [q, self.constant(np.float32(_HEAD_WIDTH**-0.5))])
        scores = self.node("MatMul", [self.heads(q, [0, 2, 1, 3]), self.heads(k, [0, 2, 3, 1])])
        shares = self.node("Softmax", [scores], axis=-1)
        mixed = self.node("MatMul", [shares, self.heads(v, [0, 2, 1, 3])])
        mixed = self.node("Transpose", [mixed], perm=[0, 2, 1, 3])
        mixed = self.node("Reshape", [mixed, self.constant(np.array([0, 0, WIDTH]))])
        return self.linear(mixed, f"{name}/linear_1")

    def heads(self, x: str, perm: list[int]) -> str:
        shape = self.constant(np.array([0, 0, _HEADS, _HEAD_WIDTH]))
        return self.node("Transpose", [self.node("Reshape", [x, shape])], perm=perm)

    def kept(self, x: str) -> str:
        """The K frames of the unit itself: what comes before the look-ahead."""
        end = WINDOW_FRAMES - LOOK_AHEAD_FRAMES
        bounds = [self.constant(np.array([at])) for at in (end - KEPT_FRAMES, end, 1)]
        return self.node("Slice", [x, *bounds])

    def layer_norm(self, x: str, name: str) -> str:
        scale, bias = self.weight(f"{name}/gamma"), self.weight(f"{name}/beta")
        return self.node("LayerNormalization", [x, scale, bias], axis=-1, epsilon=1e-5)

    def linear(self, x: str, name: str, rows: slice = slice(None)) -> str:
        weight = self._weights[f"{name}/weight"][rows].T.astype(np.float32)
        bias = self._weights[f"{name}/bias"][rows].astype(np.float32)
        product = self.node("MatMul", [x, self.constant(np.ascontiguousarray(weight))])
        return self.node("Add", [product, self.constant(bias)])

    def weight(self, name: str) -> str:
        return self.constant(self._weights[name].astype(np.float32))

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        name = f"c{len(self._initialisers)}"
        self._initialisers[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"x{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def model(self) -> onnx.ModelProto:
        power = helper.make_tensor_value_info(
            "power", TensorProto.FLOAT, ["batch", WINDOW_MEL_FRAMES, POWER_BINS]
        )
        features = helper.make_tensor_value_info(
            "features", TensorProto.FLOAT, ["batch", KEPT_FRAMES // STACKED, STACKED * WIDTH]
        )
        initialisers = list(self._initialisers.values())
        graph = helper.make_graph(
            self._nodes, "whisper_tiny_en_encoder", [power], [features], initialisers
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return model
