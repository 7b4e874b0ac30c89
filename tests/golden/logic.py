"""The golden files of everything between the networks, and where the tests find them.

The small copies beside this file run always; the full set runs under the `slow` mark when the
environment variable DITTO_REFERENCE_DIR names its folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.mark import ParameterSet
from numpy.typing import NDArray

SMALL = Path(__file__).parent
FULL = Path(os.environ["DITTO_REFERENCE_DIR"]) if "DITTO_REFERENCE_DIR" in os.environ else None


def arrays(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    """All arrays of a golden file."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as data:
        return dict(data)


def table(folder: Path, name: str) -> Any:
    """The configurations of a golden file."""
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def folders() -> list[ParameterSet]:
    """One parameter a folder: the small copies, and the full set where there is one."""
    full = [] if FULL is None else [pytest.param(FULL, id="full", marks=pytest.mark.slow)]
    return [pytest.param(SMALL, id="small"), *full]


def cases(name: str) -> list[ParameterSet]:
    """One parameter (folder, case) for each configuration of a golden file."""
    parameters = [
        pytest.param(SMALL, case, id=_label(case, index))
        for index, case in enumerate(table(SMALL, name))
    ]
    if FULL is not None:
        parameters += [
            pytest.param(FULL, case, id=f"full-{_label(case, index)}", marks=pytest.mark.slow)
            for index, case in enumerate(table(FULL, name))
        ]
    return parameters


def _label(case: dict[str, Any], index: int) -> str:
    return str(case.get("name", index))


def largest_error(got: NDArray[Any], expected: NDArray[Any]) -> float:
    """Largest absolute difference, after checking that the shapes agree."""
    assert got.shape == expected.shape
    return float(np.abs(got.astype(np.float64) - expected.astype(np.float64)).max(initial=0))
