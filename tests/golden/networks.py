"""The golden outputs of the published networks, and comparing with them.

The small copies beside this file run always; the full set runs under the `slow` mark when the
environment variable DITTO_REFERENCE_DIR names its folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from tests.golden.logic import SMALL, arrays, table


def assert_golden(
    network: str,
    case: int,
    output: str,
    got: Tensor,
    folder: Path = SMALL,
    atol: float | None = None,
) -> None:
    """Compare an output with its golden numbers, within its published tolerance."""
    if atol is None:
        atol = table(SMALL, "tolerances")[network][output]["recommended_atol"]
    assert_close(arrays(folder, network), f"case{case}.{output}", got, atol)


def assert_close(golden: dict[str, np.ndarray], name: str, got: Tensor, atol: float) -> None:
    """Compare with the array `name`, or with its thinned copy `name.subN`."""
    stored = [key for key in golden if key == name or key.startswith(f"{name}.sub")]
    assert len(stored) == 1, f"{name}: golden arrays {stored}"
    numbers = got.numpy()
    if stored[0] != name:
        numbers = numbers.ravel()[:: int(stored[0].rsplit(".sub", 1)[1])]
    np.testing.assert_allclose(numbers, golden[stored[0]], rtol=0, atol=atol)
