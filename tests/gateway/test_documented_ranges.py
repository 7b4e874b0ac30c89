"""The ranges that the contracts state are the ranges that are checked, field by field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.errors import InvalidInputError
from ditto.motion.motion_control import SCALARS
from ditto.serving.control import control_of
from ditto.v1 import types_pb2 as types
from gateway.audio2face2d_config import effective

PROTOS = Path(__file__).resolve().parents[2] / "protos/ditto"
FIELD = re.compile(
    r"Range: (?P<low>-?[\d.]+)(?:-| to )(?P<high>[\d.]+)(?=[. |\n])"
    r"[^;{}]*?\n\s+(?:optional )?(?:float|uint32) (?P<name>\w+) ="
)
NESTED = {"LookAt": "look_at", "GazeTarget": "gaze", "LookAway": "look_away"}


def ranges(file: str, message: str) -> list[tuple[str, float, float]]:
    text = (PROTOS / file).read_text("utf-8")
    body = re.search(rf"^message {message} \{{(.*?)^\}}", text, re.M | re.S)
    assert body, message
    found = FIELD.finditer(body[1])
    return [(m["name"], float(m["low"]), float(m["high"].rstrip("."))) for m in found]


CONTROLS = [
    (message, *row)
    for message in ("MotionControl", *NESTED)
    for row in ranges("v1/types.proto", message)
]


def control(message: str, field: str, value: float) -> types.MotionControl:
    made = types.MotionControl()
    part: Any = getattr(made, NESTED[message]) if message in NESTED else made
    is_whole = part.DESCRIPTOR.fields_by_name[field].cpp_type == 3  # uint32
    setattr(part, field, int(value) if is_whole else value)
    return made


def outside(low: float, high: float, whole: bool) -> list[float]:
    step = 1.0 if whole else 0.01
    values = [low - step, high + step, *([] if whole else [float("nan"), float("inf")])]
    return [value for value in values if not (whole and value < 0)]


def test_every_range_is_found() -> None:
    assert len(CONTROLS) == len(SCALARS.keys() - {"emotion"})
    assert {message for message, *_ in CONTROLS} == {"MotionControl", *NESTED}


@pytest.mark.parametrize(("message", "field", "low", "high"), CONTROLS)
def test_a_control_obeys_its_range(message: str, field: str, low: float, high: float) -> None:
    for value in (low, high):
        control_of(control(message, field, value))
    whole = field.endswith("frames")
    for value in outside(low, high, whole):
        with pytest.raises(InvalidInputError) as caught:
            control_of(control(message, field, value))
        assert field in caught.value.field
        assert f"allowed: {low:g} to {high:g}" in caught.value.problem


@pytest.mark.parametrize(
    ("field", "low", "high"), ranges("audio2face2d/v1/audio2face2d.proto", "AnimateConfig")
)
def test_an_audio2face2d_field_obeys_its_range(field: str, low: float, high: float) -> None:
    whole = a2f.AnimateConfig.DESCRIPTOR.fields_by_name[field].cpp_type == 3
    kind = int if whole else float
    for value in (low, high):
        assert getattr(effective(a2f.AnimateConfig(**{field: kind(value)})), field) == kind(value)
    for value in outside(low, high, whole):
        with pytest.raises(InvalidInputError) as caught:
            effective(a2f.AnimateConfig(**{field: kind(value)}))
        assert caught.value.field == field
        assert f"allowed: {low:g} to {high:g}" in caught.value.problem
