"""Motion of either pack becomes controls; the gap is met by jaw, lips and seal together."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.motion import layout, semantics
from ditto.packs.starter.renderer.amounts import eye_amounts, field_amounts
from ditto.packs.starter.renderer.fields import FIELD
from ditto.packs.starter.renderer.read_motion import read_motion
from ditto.packs.starter.renderer.traits import Traits

SHUT = Traits(
    pitch=0, yaw=0, roll=0, own_gap_mm=0, max_gap_mm=18, jaw_gap_mm=16, roll_gap_mm=2.7,
    pucker_gap_mm=-1.2, own_blink_right=0, own_blink_left=0, can_blink=1, smile_gain=1, brow_gain=1,
)  # fmt: skip
SMILING = Traits(**{**vars(SHUT), "own_gap_mm": 9.0})


def frame(**controls: float) -> np.ndarray:
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    exp = semantics.encode(amounts_of(**controls))[None]
    flat = np.zeros((1, 3), np.float32)
    return layout.pack(layout.Motion(one, zero, zero, zero, flat, exp))[0]


def amounts_of(**controls: float) -> np.ndarray:
    amounts = np.zeros(len(semantics.control_names()), np.float32)
    for name, amount in controls.items():
        amounts[semantics.control_index(name)] = amount
    return amounts


def test_motion_of_the_table_decodes_exactly() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        written = rng.uniform(*semantics.control_ranges().T).astype(np.float32)
        named = dict(zip(semantics.control_names(), map(float, written), strict=True))
        np.testing.assert_allclose(read_motion(frame(**named))[1], written, atol=1e-4)


def test_extracted_motion_opens_the_lips_with_the_jaw() -> None:
    extracted = frame(jawOpen=1.0)
    extracted[layout.EXPRESSION] += np.random.default_rng(0).normal(0, 0.01, 63)
    gap = semantics.control_index("lipGap")
    assert read_motion(frame(jawOpen=1.0))[1][gap] < 1e-4
    assert read_motion(extracted)[1][gap] > 0.3


@pytest.mark.parametrize("bad", [np.zeros(264), np.zeros((2, 265)), np.full(265, np.nan)])
def test_unusable_motion_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="motion"):
        read_motion(bad.astype(np.float32))


@pytest.mark.parametrize("traits", [SHUT, SMILING])
@pytest.mark.parametrize("jaw", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("gap", [0.0, 0.2, 0.5, 1.0])
def test_all_that_parts_the_lips_adds_up_to_the_gap(traits: Traits, jaw: float, gap: float) -> None:
    a = field_amounts(amounts_of(jawOpen=jaw, lipGap=gap), traits)
    opened_mm = (
        traits.own_gap_mm * (1 - a[FIELD["close"]])
        + traits.jaw_gap_mm * (a[FIELD["jaw"]] - a[FIELD["seal"]])
        + a[FIELD["part"]]
        + a[FIELD["part_round"]]
    )
    assert abs(opened_mm - gap * traits.max_gap_mm) < 1e-3
    assert a[FIELD["jaw"]] == pytest.approx(jaw)


def test_pressed_lips_stay_shut_whatever_the_gap() -> None:
    a = field_amounts(amounts_of(mouthPress=1, lipGap=0.8, jawOpen=0.3), SMILING)
    assert a[FIELD["close"]] == 1
    assert a[FIELD["part"]] == 0
    assert a[FIELD["seal"]] == pytest.approx(a[FIELD["jaw"]])


def test_a_closed_eye_is_not_closed_further() -> None:
    narrow = Traits(**{**vars(SHUT), "own_blink_left": 0.6})
    assert eye_amounts(amounts_of(eyeBlinkLeft=0.5), narrow).blink_left == 0
    assert eye_amounts(amounts_of(eyeBlinkLeft=1), narrow).blink_left == pytest.approx(1)
    unusable = Traits(**{**vars(SHUT), "can_blink": 0.0})
    rest = eye_amounts(amounts_of(eyeBlinkLeft=1, gazeX=1, gazeY=-1), unusable)
    assert (rest.blink_left, rest.blink_right, rest.gaze_x, rest.gaze_y) == (0, 0, 0, 0)
