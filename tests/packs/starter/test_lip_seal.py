"""Small gaps are drawn shut, larger ones keep their order, nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.packs.starter import coordinates
from ditto.packs.starter.lip_seal import seal_lips

GAP = coordinates.index("lipGap")


def test_nearly_closed_lips_close_and_open_ones_open_wider() -> None:
    motion = np.full((101, coordinates.COUNT), 0.4, np.float32)
    motion[:, GAP] = np.linspace(0, 1, 101)
    sealed = seal_lips(motion)
    gap = sealed[:, GAP]
    assert gap[10] < 0.03  # a gap of 0.01 face heights becomes one of 0.003 or less
    assert gap[50] == pytest.approx(0.55)
    assert (np.diff(gap) > 0).all()
    others = np.delete(np.arange(coordinates.COUNT), GAP)
    np.testing.assert_array_equal(sealed[:, others], motion[:, others])
    assert (motion[:, GAP] == np.linspace(0, 1, 101, dtype=np.float32)).all()
