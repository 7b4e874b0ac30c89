"""Coordinates lifted to 265-d frames decode to the amounts that were written."""

from __future__ import annotations

import numpy as np

from ditto.motion import layout, semantics
from ditto.packs.starter import coordinates


def portrait() -> layout.Motion:
    one = np.ones(1, np.float32)
    return layout.Motion(
        1.3 * one,
        4 * one,
        -6 * one,
        2 * one,
        np.full((1, 3), 0.05, np.float32),
        np.zeros((1, 63), np.float32),
    )


def test_lift_round_trip() -> None:
    rng = np.random.default_rng(0)
    written = rng.uniform(0, 1, (4, coordinates.COUNT)).astype(np.float32)
    motion = layout.unpack(coordinates.lift(written, layout.pack(portrait())[0]))
    amounts = semantics.decode(motion.exp)
    for name in coordinates.CONTROLS:
        column = written[:, coordinates.index(name)]
        np.testing.assert_allclose(amounts[:, semantics.control_index(name)], column, atol=1e-4)
    np.testing.assert_allclose(motion.yaw, -6 + written[:, coordinates.index("yaw")], atol=2e-3)
    np.testing.assert_allclose(motion.scale, 1.3 + written[:, -1], atol=1e-5)
    np.testing.assert_allclose(
        motion.t[:, 1], 0.05 + written[:, coordinates.index("ty")], atol=1e-6
    )


def test_amounts_beyond_their_range_are_clipped() -> None:
    wild = np.full((1, coordinates.COUNT), -3, np.float32)
    exp = layout.unpack(coordinates.lift(wild, layout.pack(portrait())[0])).exp
    amounts = semantics.decode(exp)[0]
    assert abs(amounts[semantics.control_index("lipGap")]) < 1e-4
    assert abs(amounts[semantics.control_index("gazeX")] + 1) < 1e-4
