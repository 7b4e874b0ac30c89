"""A smaller first unit: earlier by what it is smaller, and late from the second unit on."""

from __future__ import annotations

import numpy as np
import pytest

from bench.first_unit import call, lateness_ms
from bench.module_inputs import prepared

pytestmark = pytest.mark.slow


def test_only_units_of_one_size_are_never_late() -> None:
    inputs = prepared()
    small, steady = (call(inputs, frames, seed=0) for frames in (2, inputs.segment))
    assert small.ready_ms[0] < steady.ready_ms[0]
    assert lateness_ms(steady, inputs.frame_rate).max() == 0
    late_ms = lateness_ms(small, inputs.frame_rate)
    assert late_ms.max() == steady.ready_ms[0] - small.ready_ms[0]
    assert (late_ms[:2] == 0).all()
    np.testing.assert_array_equal(small.motion[2:], steady.motion[2:])
