"""ARKit's blendshape names and the named controls, both ways (data: `semantics.yaml`).

C named controls, A blendshapes. A blendshape's coefficient is 0 to 1; the controls that it moves,
and how far, are the `arkit` entries of each control.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics

Array = NDArray[np.float32]

_FIT_STEPS = 400


@cache
def blendshape_names() -> tuple[str, ...]:
    """The blendshapes that a control answers to."""
    rows = semantics.table().values()
    return tuple(sorted({name for row in rows for name in row.get("arkit", {})}))


@cache
def known_names() -> frozenset[str]:
    """Blendshapes and named controls."""
    return frozenset((*blendshape_names(), *semantics.control_names()))


@cache
def _weights() -> Array:
    """(A, C): what each blendshape at 1 adds to the controls."""
    places = {name: at for at, name in enumerate(blendshape_names())}
    weights = np.zeros((len(places), len(semantics.control_names())), np.float32)
    for column, row in enumerate(semantics.table().values()):
        for name, weight in row.get("arkit", {}).items():
            weights[places[name], column] = weight
    return weights


def to_controls(amounts: Mapping[str, float]) -> Array:
    """(C,) control amounts of coefficients by name; a name that is both means the blendshape."""
    controls = np.zeros(len(semantics.control_names()), np.float32)
    for name, amount in amounts.items():
        if name in blendshape_names():
            controls += amount * _weights()[blendshape_names().index(name)]
        else:
            controls[semantics.control_index(name)] += amount
    return controls


def from_controls(controls: NDArray[np.floating]) -> dict[str, float]:
    """Coefficients, 0 or more, that come nearest to control amounts (C,)."""
    weights = _weights().astype(np.float64)
    step = 1 / np.linalg.norm(weights @ weights.T, 2)
    found = np.zeros(len(weights))
    for _ in range(_FIT_STEPS):  # non-negative least squares by projected gradient
        found = np.maximum(found - step * ((found @ weights - controls) @ weights.T), 0)
    return dict(zip(blendshape_names(), found.tolist(), strict=True))
