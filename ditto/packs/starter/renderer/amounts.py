"""One motion frame as amounts of the renderer's fields, lids and gaze, for one portrait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics
from ditto.packs.starter.renderer.fields import FIELD, FIELDS
from ditto.packs.starter.renderer.traits import Traits

Array = NDArray[np.float32]

_MAX_LIP_GAP = 1.3
_LID_FOLLOWS_GAZE = 0.4
"""Share of a look downwards that the upper lid takes part in."""


@dataclass(frozen=True)
class EyeAmounts:
    """Closure 0..1 of each eye beyond the portrait's own, and gaze -1..1."""

    blink_right: float
    blink_left: float
    gaze_x: float
    """+ to the image's right, the subject's own left."""
    gaze_y: float
    """+ upwards."""


def field_amounts(controls: Array, traits: Traits) -> Array:
    """(F,) amounts of the displacement fields, of controls (C,) relative to a shut neutral face.

    Jaw and lips are separate controls: the chin follows jawOpen while the lips are parted beyond
    the jaw's opening, or held together against it, until their gap is what lipGap says.
    """
    c = _Controls(controls)
    amounts = np.zeros(len(FIELDS), np.float32)
    for name in ("frown", "stretch", "shift", "pucker", "funnel"):
        amounts[FIELD[name]] = c[f"mouth{name.capitalize()}"]
    amounts[FIELD["smile"]] = c["mouthSmile"] * traits.smile_gain
    amounts[FIELD["brow_up"]] = c["browUp"] * traits.brow_gain
    amounts[FIELD["brow_down"]] = c["browDown"] * traits.brow_gain
    amounts[FIELD["squint"]] = c["eyeSquint"]
    amounts[FIELD["cheek_raise"]] = c["cheekRaise"]
    amounts[FIELD["press"]] = c["mouthPress"]
    amounts[FIELD["roll"]] = c["mouthRollLower"] * (1 - c["mouthPress"])
    amounts[FIELD["jaw"]] = c["jawOpen"]
    _meet_gap(amounts, c, traits)
    return amounts


def _meet_gap(amounts: Array, c: _Controls, traits: Traits) -> None:
    gap = min(max(c.raw("lipGap"), 0.0), _MAX_LIP_GAP)
    target_mm = gap * traits.max_gap_mm * (1 - c["mouthPress"])
    if traits.own_gap_mm > 0:
        amounts[FIELD["close"]] = np.clip(1 - target_mm / traits.own_gap_mm, 0, 1)
    supplied_mm = (
        traits.own_gap_mm * (1 - amounts[FIELD["close"]])
        + traits.jaw_gap_mm * amounts[FIELD["jaw"]]
        + traits.roll_gap_mm * amounts[FIELD["roll"]]
        + traits.pucker_gap_mm * amounts[FIELD["pucker"]]
    )
    missing_mm = target_mm - supplied_mm
    roundness = min(1.0, c["mouthPucker"] + c["mouthFunnel"])
    amounts[FIELD["purse"]] = 0.8 * roundness * amounts[FIELD["jaw"]]
    if missing_mm > 0:
        amounts[FIELD["part"]] = missing_mm * (1 - roundness)
        amounts[FIELD["part_round"]] = missing_mm * roundness
    else:
        jaw = amounts[FIELD["jaw"]]
        amounts[FIELD["seal"]] = min(-missing_mm / traits.jaw_gap_mm, jaw)
        amounts[FIELD["purse"]] = min(amounts[FIELD["purse"]], jaw - amounts[FIELD["seal"]])


def eye_amounts(controls: Array, traits: Traits) -> EyeAmounts:
    """Lids and gaze of controls (C,)."""
    c = _Controls(controls)
    look_down = _LID_FOLLOWS_GAZE * max(0.0, -c["gazeY"])

    def closure(name: str, own: float) -> float:
        beyond = max(0.0, c[name] - own) / (1 - own)
        return traits.can_blink * min(1.0, beyond + look_down * (1 - beyond))

    return EyeAmounts(
        blink_right=closure("eyeBlinkRight", traits.own_blink_right),
        blink_left=closure("eyeBlinkLeft", traits.own_blink_left),
        gaze_x=c["gazeX"] * traits.can_blink,
        gaze_y=c["gazeY"] * traits.can_blink,
    )


class _Controls:
    """Controls by name, cut to what a face can do."""

    def __init__(self, values: Array) -> None:
        self._values = values
        ranges = semantics.control_ranges()
        self._cut = np.clip(values, ranges[:, 0], ranges[:, 1])

    def __getitem__(self, name: str) -> float:
        return float(self._cut[semantics.control_index(name)])

    def raw(self, name: str) -> float:
        return float(self._values[semantics.control_index(name)])
