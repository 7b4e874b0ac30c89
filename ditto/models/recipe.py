"""The published recipe of reproducible weights and inputs.

Every array is drawn by a generator of its own, seeded with the CRC-32 of the array's name, so that
one key can be made or checked without the others. Arithmetic is float64 with one cast to float32 at
the end. The recipe gives networks without a trained checkpoint weights that keep every output in a
realistic range: for parity tests, for benchmarks, and for `ditto models generate`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]

GAIN_BY_SUFFIX = {
    ".conv2.weight": 0.5,
    "fc_kp.weight": 0.2,
    "fc_scale.weight": 0.05,
    "fc_pitch.weight": 3.0,
    "fc_yaw.weight": 3.0,
    "fc_roll.weight": 3.0,
    "fc_t.weight": 0.05,
    "fc_exp.weight": 0.05,
    "dense_motion_network.mask.weight": 2.0,
    "dense_motion_network.occlusion.weight": 2.0,
    "final_layer.weight": 0.1,
}
"""Factors on the fan-in scale of the layers that would leave a realistic range without one."""

OFFSET_BY_SUFFIX = {"fc_scale.bias": 1.3, "dense_motion_network.occlusion.bias": 2.0}
"""Means of the two biases that are not centred on zero."""

POWER_ITERATIONS = 32


def normal(name: str, shape: Shape) -> NDArray[np.float64]:
    """Standard normal numbers that depend on the name alone."""
    return _generator(name).standard_normal(size=shape)


def uniform(name: str, shape: Shape) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on the name alone."""
    return _generator(name).random(size=shape)


def generate_state(shapes: Mapping[str, Shape]) -> dict[str, NDArray[np.float32 | np.int64]]:
    """Weights for every key of a state dict, given as key -> shape.

    Left out is what a network computes by itself (`*.rotary.freqs`).
    """
    state: dict[str, NDArray[np.float32 | np.int64]] = {}
    for key, shape in shapes.items():
        if key.endswith("rotary.freqs"):
            continue
        if key.endswith("num_batches_tracked"):
            state[key] = np.zeros(shape, np.int64)
        elif key.endswith("weight_u"):
            prefix = key.removesuffix("weight_u")
            state[key], state[f"{prefix}weight_v"] = _spectral_pair(
                key, state[f"{prefix}weight_orig"]
            )
        elif f"{key.removesuffix('v')}u" not in shapes:
            state[key] = _draw_weight(key, shape)
    return {key: state[key] for key in shapes if key in state}


def _generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode("utf-8"))))


def _draw_weight(key: str, shape: Shape) -> NDArray[np.float32]:
    draw = normal(key, shape)
    if key.endswith("running_var"):
        draw = np.abs(draw)
    offset, scale = _offset_and_scale(key, shape)
    return (offset + scale * draw).astype(np.float32)


def _offset_and_scale(key: str, shape: Shape) -> tuple[float, float]:
    leaf = key.rsplit(".", 1)[-1]
    if leaf in ("null_cond_embed", "null_cond_hidden"):
        return 0.0, 1.0
    if leaf == "running_var":
        return 1.0, 0.1
    if leaf == "gamma":
        return 0.0, 0.2
    if leaf.endswith("bias") or leaf in ("beta", "running_mean"):
        return _by_suffix(OFFSET_BY_SUFFIX, key, 0.0), 0.02
    if len(shape) == 1:
        return 1.0, 0.02
    variance = (2.0 if len(shape) >= 4 else 1.0) / math.prod(shape[1:])
    return 0.0, math.sqrt(variance) * _by_suffix(GAIN_BY_SUFFIX, key, 1.0)


def _by_suffix(table: Mapping[str, float], key: str, default: float) -> float:
    return next((value for suffix, value in table.items() if key.endswith(suffix)), default)


def _spectral_pair(
    name: str, weight: NDArray[np.float32 | np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The leading left and right singular vectors of a weight, by power iteration."""
    matrix = weight.astype(np.float64).reshape(weight.shape[0], -1)
    u = normal(name, (matrix.shape[0],))
    u /= np.linalg.norm(u)
    v = np.zeros(matrix.shape[1])
    for _ in range(POWER_ITERATIONS):
        v = matrix.T @ u
        v /= np.linalg.norm(v)
        u = matrix @ v
        u /= np.linalg.norm(u)
    return u.astype(np.float32), v.astype(np.float32)
