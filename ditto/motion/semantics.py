"""Named face controls and the 63 expression deltas, both ways (data: `semantics.yaml`).

A control is an amount, 0 at rest and 1 at a full movement. Encoding is a matrix product; decoding
is its pseudo-inverse, exact for every motion that was written with this table.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ditto.motion.layout import EXPRESSION_DIM

Array = NDArray[np.float32]

_AXES = "xyz"


@cache
def table() -> dict[str, dict[str, Any]]:
    """The data file: each control's range, source, delta and ARKit blendshapes."""
    text = files("ditto.motion").joinpath("semantics.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def control_names() -> tuple[str, ...]:
    """The control names, in the order of the control vector (C,)."""
    return tuple(table())


@cache
def control_index(name: str) -> int:
    """Position of a control in the control vector."""
    return control_names().index(name)


@cache
def control_ranges() -> Array:
    """(C, 2): lowest and highest amount of each control."""
    return np.array([row["range"] for row in table().values()], np.float32)


@cache
def control_matrix() -> Array:
    """(C, 63): the expression delta of each control at amount 1."""
    matrix = np.zeros((len(table()), EXPRESSION_DIM), np.float32)
    for row, control in enumerate(table().values()):
        for place, amount in control["delta"].items():
            matrix[row, 3 * int(place[:-1]) + _AXES.index(place[-1])] = amount
    return matrix


@cache
def _decoder() -> Array:
    return np.linalg.pinv(control_matrix().astype(np.float64)).astype(np.float32)


def encode(controls: NDArray[np.floating]) -> Array:
    """Expression deltas (..., 63) of control amounts (..., C); 0 is a closed neutral face."""
    return np.asarray(controls @ control_matrix(), np.float32)


def decode(deltas: NDArray[np.floating]) -> Array:
    """Control amounts (..., C) of expression deltas (..., 63), by least squares; not clipped."""
    return np.asarray(deltas @ _decoder(), np.float32)
