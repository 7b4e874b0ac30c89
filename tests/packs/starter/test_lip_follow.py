"""Lips follow the voice: relative to itself, and never out of a closure."""

from __future__ import annotations

import numpy as np

from ditto.packs.starter import coordinates
from ditto.packs.starter.brightness import COUNT
from ditto.packs.starter.lip_follow import follow_voice, heard_so_far

GAP = coordinates.index("lipGap")


def test_lips_part_further_for_a_brighter_sound_but_not_closed_ones() -> None:
    motion = np.full((5, coordinates.COUNT), 0.3, np.float32)
    motion[:, GAP] = [0.5, 0.5, 0.17, 0.1, -0.1]
    frames = np.array([[8, 1], [-8, 1], [-15, 1], [15, 1], [15, 1]], np.float32)
    followed = follow_voice(motion, frames, np.zeros(COUNT, np.float32))
    np.testing.assert_allclose(followed[:, GAP], [0.652, 0.348, 0.085, 0.1, -0.1], atol=1e-3)
    others = np.delete(np.arange(coordinates.COUNT), GAP)
    np.testing.assert_array_equal(followed[:, others], motion[:, others])


def test_what_a_voice_usually_is_moves_nothing() -> None:
    heard, bright = np.zeros(COUNT, np.float32), np.tile(np.float32([10, 1]), (5, 1))
    open_lips = np.full((5, coordinates.COUNT), 0.5, np.float32)
    first = follow_voice(open_lips, bright, heard_so_far(heard, bright))[0, GAP]
    for _ in range(500):
        heard = heard_so_far(heard, bright)
    assert first > 0.65
    assert abs(follow_voice(open_lips, bright, heard)[0, GAP] - 0.5) < 0.03
    dark = -bright + [0, 2]  # another speaker: forgotten within a minute
    for _ in range(300):
        heard = heard_so_far(heard, dark)
    assert abs(follow_voice(open_lips, dark, heard)[0, GAP] - 0.5) < 0.05
