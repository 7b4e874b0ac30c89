"""Mouth targets from phone times: dominance blending of authored mouth shapes.

Every phone pulls the mouth towards its shape with a strength that falls off around it; curves are
the weighted mean, so that neighbours colour each other (co-articulation). The gap between the lips
is a target of its own, not a function of the jaw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from ditto.training.speech.phones import PAUSE, Phone

Array = NDArray[np.float32]
Curve = NDArray[np.float64]

FRAME_RATE = 25
_RATE = 100
"""Curves are drawn at this rate, then averaged over each frame."""


class _Shape(NamedTuple):
    gap: float
    gap_pull: float
    shape: Curve
    """(4,) jaw, pucker, funnel, stretch."""
    shape_pull: Curve


@cache
def _shapes() -> dict[str, _Shape]:
    text = files("ditto.training.targets").joinpath("mouth_shapes.yaml").read_text("utf-8")
    return {
        symbol: _Shape(
            row["gap"], row["gap_pull"], np.array(row["shape"]), np.array(row["shape_pull"])
        )
        for symbol, row in yaml.safe_load(text).items()
    }


_SECOND_HALF = {"ay": "ih", "oy": "ih", "ey": "iy", "aw": "uh", "ow": "uw"}
LIP_CLOSURES = frozenset("pbm")
_LIP_TO_TEETH = frozenset("fv")
_LEAD_S = 0.02
"""Lips move this long before the sound, besides the half frame by which a frame's mean, which is
shown at its start, already does."""
_CONTACT_LEAD_S = 0.005
"""The same where lips touch each other or the teeth: contact is part of the sound."""
_SPREAD_S = 0.055
_SHORTEST_PAUSE_S = 0.08
_CLOSING_PAUSE_S = 0.4
"""Lips stay parted in shorter pauses; from this length on they close."""
_PARTED_GAP = 0.3

GAP_SCALE = 1.2
"""`lipGap` amount (1 is an inner-lip gap of 0.10 of the face's height) of gap table value 1."""
JAW_SCALE = 0.55

CONTROLS = (
    "jawOpen",
    "lipGap",
    "mouthPress",
    "mouthRollLower",
    "mouthFunnel",
    "mouthPucker",
    "mouthStretch",
)
"""What `mouth_curves` writes, in this order."""


def mouth_curves(phones: Sequence[Phone], frames: int) -> Array:
    """Amounts of `CONTROLS` (frames, 7) at 25 fps of timed phones."""
    steps = frames * _RATE // FRAME_RATE
    spoken = [p for p in phones if p.symbol != PAUSE or p.end_s - p.start_s >= _SHORTEST_PAUSE_S]
    gap = _gap(spoken, steps)
    jaw, pucker, funnel, stretch = _shape(spoken, steps)
    press = _contacts(spoken, steps, LIP_CLOSURES)
    tuck = _contacts(spoken, steps, _LIP_TO_TEETH)
    gap = GAP_SCALE * gap * (1 - 0.95 * press) * (1 - 0.6 * tuck)
    jaw = JAW_SCALE * jaw * (1 - 0.25 * press)
    curves = np.stack([jaw, gap, 0.7 * press, tuck, funnel, pucker, 0.6 * stretch], axis=1)
    means = curves.reshape(frames, _RATE // FRAME_RATE, -1).mean(1)
    return np.asarray(means, np.float32)


def closures(phones: Sequence[Phone], frames: int) -> NDArray[np.bool_]:
    """(frames,): inside a p, b or m, from its middle outwards by at least half a frame."""
    found = np.zeros(frames, bool)
    for phone in phones:
        if phone.symbol in LIP_CLOSURES:
            middle = int((phone.start_s + phone.end_s) / 2 * FRAME_RATE)
            found[max(0, middle) : middle + 1] = True
    return found


def _gap(phones: Sequence[Phone], steps: int) -> Curve:
    total, weight = np.zeros(steps), np.full(steps, 1e-4)
    for phone in phones:
        lips = phone.symbol in LIP_CLOSURES | _LIP_TO_TEETH
        lead = _CONTACT_LEAD_S if lips else _LEAD_S
        where, distance = _distance(phone, steps, 0.6, lead)
        spread = _SPREAD_S * (0.7 if lips else 1.0)
        mouth = _shapes()[phone.symbol]
        pull = mouth.gap_pull * np.exp(-((distance / spread) ** 1.5))
        total[where] += pull * (_pause_gap(phone) if phone.symbol == PAUSE else mouth.gap)
        weight[where] += pull
    return _smooth(total / weight)


def _pause_gap(phone: Phone) -> float:
    seconds = phone.end_s - phone.start_s
    return _PARTED_GAP * float(np.clip((_CLOSING_PAUSE_S - seconds) / 0.2, 0, 1))


def _shape(phones: Sequence[Phone], steps: int) -> Curve:
    """(4, steps): jaw, pucker, funnel, stretch."""
    total, weight = np.zeros((4, steps)), np.full((4, steps), 1e-4)
    spread = _SPREAD_S * np.array([1.0, 1.5, 1.5, 1.0])[:, None]
    for phone in _with_split_diphthongs(phones):
        where, distance = _distance(phone, steps, 0.7, _LEAD_S)
        mouth = _shapes()[phone.symbol]
        pull = mouth.shape_pull[:, None] * np.exp(-((distance / spread) ** 1.5))
        total[:, where] += pull * mouth.shape[:, None]
        weight[:, where] += pull
    return np.stack([_smooth(curve) for curve in total / weight])


def _with_split_diphthongs(phones: Sequence[Phone]) -> list[Phone]:
    split = []
    for phone in phones:
        symbol, start, end = phone
        if symbol in _SECOND_HALF and end - start > 0.08:
            turn = start + 0.6 * (end - start)
            split += [Phone(symbol, start, turn), Phone(_SECOND_HALF[symbol], turn, end)]
        else:
            split.append(phone)
    return split


def _contacts(phones: Sequence[Phone], steps: int, symbols: frozenset[str]) -> Curve:
    """0..1: how far the lips (or lip and teeth) are in contact for these phones."""
    contact = np.zeros(steps)
    times = (np.arange(steps) + 0.5) / _RATE
    for symbol, start, end in phones:
        if symbol not in symbols:
            continue
        middle, hold = (start + end) / 2 - _CONTACT_LEAD_S, max(0.03, (end - start) / 2)
        near = np.abs(times - middle)
        rise = np.clip(1 - (near - 0.6 * hold) / 0.06, 0, 1)
        contact = np.maximum(contact, rise**2 * (3 - 2 * rise))
    return contact


def _distance(phone: Phone, steps: int, core: float, lead_s: float) -> tuple[slice, Curve]:
    """The curve's part around a phone, and each step's distance in s from the phone's core."""
    first = max(0, int((phone.start_s - 0.5) * _RATE))
    last = max(first, min(steps, int((phone.end_s + 0.5) * _RATE)))
    times = (np.arange(first, last) + 0.5) / _RATE
    middle = (phone.start_s + phone.end_s) / 2 - lead_s
    half = (phone.end_s - phone.start_s) / 2
    return slice(first, last), np.maximum(0, np.abs(times - middle) - core * half)


def _smooth(curve: Curve) -> Curve:
    window = np.hanning(9)
    return np.convolve(curve, window / window.sum(), "same")
