"""What the streaming speech encoder costs on the CPU, in float32 and int8.

    python -m bench.hubert FOLDER [--threads 1] [--rounds 20] [--cpu-time]

FOLDER holds ditto_onnx/hubert.onnx and, after `ditto models convert --to int8`, hubert_int8.onnx.
One window of 6480 samples gives 5 frames, so that real time is 200 ms a window. The sides take
turns, so that a busy machine slows them alike; `--cpu-time` counts processor time instead.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from ditto.models.hubert_graph import INPUT, OUTPUT
from ditto.packs.ditto.audio_encoder import SAMPLE_RATE_HZ, UNITS
from ditto.packs.ditto.weights import Weights
from ditto.runtime import onnx_backend
from ditto.runtime.backend import Device
from ditto.runtime.onnx_backend import OnnxBackend


def main() -> None:
    """Print time, real-time factor and agreement of each form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cpu-time", action="store_true")
    options = parser.parse_args()
    weights = Weights(options.folder)
    paths = {"float32": weights.hubert_graph(False), "int8": weights.hubert_graph(True)}
    encoders = {
        name: onnx_backend.load(path, Device("cpu"), (OUTPUT,), options.threads)
        for name, path in paths.items()
    }
    samples = np.random.default_rng(0).normal(0, 0.1, (1, UNITS.window_samples))
    window = {INPUT: samples.astype(np.float32)}
    tokens = {name: encoder.run(window)[OUTPUT] for name, encoder in encoders.items()}
    times = _times_s(encoders, window, options)
    unit_s = UNITS.hop_samples / SAMPLE_RATE_HZ
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:8} {1000 * middle:7.1f} ms a window, RTF {middle / unit_s:.2f}")
    ratios = [slow / fast for slow, fast in zip(times["float32"], times["int8"], strict=True)]
    cosines = _cosines(tokens["float32"], tokens["int8"])
    print(f"int8 is {statistics.median(ratios):.2f} times as fast (median of paired rounds)")
    print(f"cosine of int8 tokens to float32: mean {cosines.mean():.5f}, least {cosines.min():.5f}")


def _times_s(
    encoders: dict[str, OnnxBackend], window: dict[str, np.ndarray], options: argparse.Namespace
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in encoders}
    clock = time.process_time if options.cpu_time else time.perf_counter
    for _ in range(options.rounds):
        for name, encoder in encoders.items():
            begin = clock()
            encoder.run(window)
            times[name].append(clock() - begin)
    return times


def _cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / lengths)


if __name__ == "__main__":
    main()
