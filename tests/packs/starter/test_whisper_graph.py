"""The encoder graph and its log-mel, against the formulas written out in float64."""

from __future__ import annotations

import struct
from math import erf
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from ditto.errors import CorruptDataError
from ditto.packs.starter.ctranslate2_file import read_variables
from ditto.packs.starter.mel import power_spectrum
from ditto.packs.starter.whisper_graph import build_graph, convert

WIDTH, HIDDEN, HEADS, LAYERS = 384, 1536, 6, 4
Weights = dict[str, np.ndarray]


def random_weights() -> Weights:
    """Weights of the encoder's names and shapes, scaled so that activations stay near one."""
    rng = np.random.default_rng(1)

    def random(*shape: int) -> np.ndarray:
        fan_in = np.prod(shape[1:]) if len(shape) > 1 else 100
        return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float16)

    weights = {
        "encoder/conv1/weight": random(WIDTH, 80, 3),
        "encoder/conv1/bias": random(WIDTH),
        "encoder/conv2/weight": random(WIDTH, WIDTH, 3),
        "encoder/conv2/bias": random(WIDTH),
        "encoder/position_encodings/encodings": random(1500, WIDTH),
    }
    linears = {
        "self_attention/linear_0": (3 * WIDTH, WIDTH),
        "self_attention/linear_1": (WIDTH, WIDTH),
        "ffn/linear_0": (HIDDEN, WIDTH),
        "ffn/linear_1": (WIDTH, HIDDEN),
    }
    norms = ["encoder/layer_norm"]
    for layer in range(LAYERS):
        for name, shape in linears.items():
            weights[f"encoder/layer_{layer}/{name}/weight"] = random(*shape)
            weights[f"encoder/layer_{layer}/{name}/bias"] = random(shape[0])
        norms += [f"encoder/layer_{layer}/{part}/layer_norm" for part in ("self_attention", "ffn")]
    for name in norms:
        weights[f"{name}/gamma"] = 1 + random(WIDTH)
        weights[f"{name}/beta"] = random(WIDTH)
    return weights


class Reference:
    """Whisper's encoder by the book: every frame through every layer, in float64."""

    def __init__(self, weights: Weights) -> None:
        self.w = {name.removeprefix("encoder/"): w.astype(float) for name, w in weights.items()}

    def __call__(self, mel: np.ndarray) -> np.ndarray:
        x = gelu(self.convolve(mel, "conv1", 1))
        x = gelu(self.convolve(x, "conv2", 2)).T
        x = x + self.w["position_encodings/encodings"][: len(x)]
        for layer in range(LAYERS):
            x = x + self.attend(self.norm(x, f"layer_{layer}/self_attention/layer_norm"), layer)
            hidden = self.norm(x, f"layer_{layer}/ffn/layer_norm")
            hidden = gelu(self.linear(hidden, f"layer_{layer}/ffn/linear_0"))
            x = x + self.linear(hidden, f"layer_{layer}/ffn/linear_1")
        return self.norm(x, "layer_norm")

    def convolve(self, x: np.ndarray, name: str, stride: int) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (1, 1)))
        spans = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
        return (
            np.einsum("oik,itk->ot", self.w[f"{name}/weight"], spans)
            + (self.w[f"{name}/bias"][:, None])
        )

    def attend(self, x: np.ndarray, layer: int) -> np.ndarray:
        joint = self.linear(x, f"layer_{layer}/self_attention/linear_0")
        q, k, v = joint.reshape(len(x), 3, HEADS, WIDTH // HEADS).transpose(1, 2, 0, 3)
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(WIDTH / HEADS))
        mixed = scores / scores.sum(-1, keepdims=True) @ v
        merged = mixed.transpose(1, 0, 2).reshape(len(x), WIDTH)
        return self.linear(merged, f"layer_{layer}/self_attention/linear_1")

    def linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self.w[f"{name}/weight"].T + self.w[f"{name}/bias"]

    def norm(self, x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(-1, keepdims=True) + 1e-5)
        return scaled * self.w[f"{name}/gamma"] + self.w[f"{name}/beta"]


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def naive_log_mel(samples: np.ndarray) -> np.ndarray:
    """80 bands of one window, from the definition: DFT by its sum, triangle by triangle."""
    n = np.arange(400)
    window = np.sin(np.pi * n / 400) ** 2
    basis = np.exp(-2j * np.pi * np.outer(n, np.arange(201)) / 400)
    padded = np.pad(samples.astype(float), 200, mode="reflect")
    starts = range(0, len(samples), 160)
    power = np.abs(np.stack([padded[s : s + 400] * window for s in starts]) @ basis) ** 2
    mel_of_1k, octave = 15.0, np.log(6.4) / 27
    mels = np.linspace(0, mel_of_1k + np.log(8) / octave, 82)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(octave * (mels - mel_of_1k)))
    bank = np.zeros((80, 201))
    for band, (low, centre, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        for bin_, hz in enumerate(np.arange(201) * 40):
            height = min((hz - low) / (centre - low), (high - hz) / (high - centre))
            bank[band, bin_] = max(0.0, height) * 2 / (high - low)
    bands = np.log10(np.maximum(bank @ power.T, 1e-10))
    return (np.maximum(bands, bands.max() - 8) + 4) / 4


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    graph = build_graph(random_weights()).SerializeToString()
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def noise(windows: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    fading = np.geomspace(1, 1e-3, 16_000)
    return (0.3 * rng.standard_normal((windows, 16_000)) * fading).astype(np.float32)


def test_power_spectrum_of_a_tone_lies_in_its_bin() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    power = power_spectrum(tone[None])
    assert power.shape == (1, 100, 201)
    assert power.dtype == np.float32
    assert (power[0, 2:-2].argmax(axis=1) == 25).all()
    np.testing.assert_allclose(power[0, 2:-2, 25], 100.0**2, rtol=1e-4)


def test_graph_equals_the_formulas_from_samples_to_features(
    session: ort.InferenceSession,
) -> None:
    windows, reference = noise(3), Reference(random_weights())
    windows[2, :9_000] = 0
    (features,) = session.run(None, {"power": power_spectrum(windows)})
    assert features.shape == (3, 5, 2 * WIDTH)
    for window, found in zip(windows, features, strict=True):
        expected = reference(naive_log_mel(window))[36:46].reshape(5, 2 * WIDTH)
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_silence_gives_finite_features(session: ort.InferenceSession) -> None:
    (features,) = session.run(None, {"power": np.zeros((1, 100, 201), np.float32)})
    assert np.isfinite(features).all()


def test_batch_rows_do_not_touch(session: ort.InferenceSession) -> None:
    power = power_spectrum(noise(3))
    (together,) = session.run(None, {"power": power})
    power[1:] = 7
    (changed,) = session.run(None, {"power": power})
    np.testing.assert_array_equal(changed[0], together[0])


def model_file(variables: Weights) -> bytes:
    """A CTranslate2 file, by its description."""

    def string(text: str) -> bytes:
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    out = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, array in variables.items():
        code = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}[array.dtype.name]
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += string(name) + shape + struct.pack("<BI", code, array.nbytes) + array.tobytes()
    return out


def test_convert_writes_the_graph_of_a_model_file(tmp_path: Path) -> None:
    other = {"decoder/x": np.arange(6, dtype=np.int8).reshape(2, 3)}
    (tmp_path / "model.bin").write_bytes(model_file({**other, **random_weights()}))
    convert(tmp_path / "model.bin", tmp_path / "a.onnx")
    convert(tmp_path / "model.bin", tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert (tmp_path / "a.onnx").read_bytes() == build_graph(random_weights()).SerializeToString()


def test_read_variables_keeps_type_and_shape(tmp_path: Path) -> None:
    variables = {
        "encoder/a": np.array([[1.5, -2]], np.float16),
        "encoder/heads": np.array(6, np.int16),
        "decoder/b": np.zeros(3, np.float32),
    }
    (tmp_path / "model.bin").write_bytes(model_file(variables))
    found = read_variables(tmp_path / "model.bin", "encoder/")
    assert list(found) == ["encoder/a", "encoder/heads"]
    for name, array in found.items():
        np.testing.assert_array_equal(array, variables[name], strict=True)


@pytest.mark.parametrize("keep", [0, 3, 20, 60, -1])
def test_cut_model_files_are_refused(tmp_path: Path, keep: int) -> None:
    data = model_file({"encoder/a": np.zeros((4, 4), np.float32)})
    (tmp_path / "model.bin").write_bytes(data[:keep])
    with pytest.raises(CorruptDataError, match="not a CTranslate2 model file"):
        read_variables(tmp_path / "model.bin", "encoder/")
