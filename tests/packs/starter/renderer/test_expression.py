"""Controls do to the face what they say, measured again by the landmark network."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from ditto.face.eye_state import eye_open
from ditto.face.topology import LOWER_LIP_MID, UPPER_LIP_MID
from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.geometry import FaceGeometry
from tests.packs.starter.renderer.driving import (
    Registered,
    at_rest,
    driven,
    gap_share,
    measured,
    motion,
)

AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)


def test_the_own_motion_gives_the_own_picture(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    frame = renderer.render_head(portrait.appearance, at_rest(portrait))
    error = np.abs(frame.astype(int) - portrait.appearance.still)
    assert error.mean() < 0.5
    found, own = measured(frame), measured(portrait.appearance.still)
    assert np.linalg.norm(found.xy - own.xy, axis=1).mean() < 1.5


@pytest.mark.parametrize("jaw_share", [0.0, 0.5, 1.0])
def test_the_gap_follows_lip_gap_whatever_the_jaw_does(
    renderer: StarterRenderer, portrait: Registered, jaw_share: float
) -> None:
    gaps = np.array(
        [
            gap_share(driven(renderer, portrait, lipGap=amount, jawOpen=jaw_share * amount))
            for amount in AMOUNTS
        ]
    )
    assert np.all(np.diff(gaps) > 0.004)
    np.testing.assert_allclose(gaps, 0.1 * np.array(AMOUNTS), atol=0.022)


@pytest.mark.parametrize("controls", [{}, {"mouthPress": 0.8}, {"jawOpen": 0.5}])
def test_a_smiling_mouth_closes(
    renderer: StarterRenderer, portrait: Registered, controls: dict[str, float]
) -> None:
    assert gap_share(measured(portrait.appearance.still)) > 0.05
    assert gap_share(driven(renderer, portrait, **controls)) < 0.015


def test_less_light_reaches_the_teeth_through_a_narrow_opening(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    def brightness(gap: float) -> float:
        frame = renderer.render_head(portrait.appearance, motion(portrait, lipGap=gap))
        upper, lower = measured(frame).xy[[UPPER_LIP_MID, LOWER_LIP_MID]]
        x, y = ((upper + lower) / 2).astype(int)
        return float(np.median(frame[y - 1 : y + 2, x - 8 : x + 9]))

    narrow, wider, wide = brightness(0.15), brightness(0.35), brightness(0.7)
    assert narrow < 0.8 * wider < 0.8 * wide


def test_the_chin_follows_the_jaw_with_closed_lips(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    chin = [driven(renderer, portrait, jawOpen=a).head_mm[152, 1] for a in (0, 0.5, 1)]
    assert np.all(np.diff(chin) > 2)


def width_mm(face: FaceGeometry) -> float:
    return float(np.linalg.norm(face.head_mm[61] - face.head_mm[291]))


def test_mouth_shapes_change_its_width(renderer: StarterRenderer, portrait: Registered) -> None:
    shut = width_mm(driven(renderer, portrait))
    assert width_mm(driven(renderer, portrait, mouthPucker=1)) < shut - 6
    assert width_mm(driven(renderer, portrait, mouthFunnel=1)) < shut - 3
    assert width_mm(driven(renderer, portrait, mouthStretch=1)) > shut + 3


def test_the_corners_rise_and_fall(renderer: StarterRenderer, portrait: Registered) -> None:
    def corners(**controls: float) -> float:
        h = driven(renderer, portrait, **controls).head_mm
        return float(h[[61, 291], 1].mean() - h[[0, 17], 1].mean())

    assert corners(mouthSmile=1) < corners() - 0.8 < corners(mouthFrown=1) - 1.5


def test_lids_close_each_on_its_own(renderer: StarterRenderer, portrait: Registered) -> None:
    def lids(**controls: float) -> np.ndarray:
        """(2,) the subject's right and left, which are the image's left and right."""
        return eye_open(driven(renderer, portrait, **controls).points[None] / 512)[0]

    rest, half = lids(), lids(eyeBlinkLeft=0.5, eyeBlinkRight=0.5)
    both = lids(eyeBlinkLeft=1, eyeBlinkRight=1)
    assert np.all(both < 0.6 * rest)
    assert np.all((half < rest) & (half > both))
    left = lids(eyeBlinkLeft=1)
    assert left[1] < 0.8 * rest[1]
    assert left[0] > 0.85 * rest[0]


def test_the_gaze_moves_both_irises(renderer: StarterRenderer, portrait: Registered) -> None:
    def look(**controls: float) -> np.ndarray:
        """(2, 2) x, y of each iris from its eye's middle, over the eye's width."""
        p = driven(renderer, portrait, **controls).xy
        eyes = ((468, 33, 133), (473, 362, 263))
        return np.stack(
            [(p[i] - (p[a] + p[b]) / 2) / np.linalg.norm(p[a] - p[b]) for i, a, b in eyes]
        )

    assert np.all((look(gazeX=1) - look())[:, 0] > 0.07)
    assert np.all((look(gazeX=-1) - look())[:, 0] < -0.07)
    assert np.all((look(gazeY=1) - look())[:, 1] < -0.015)


def test_brows_rise_and_sink(renderer: StarterRenderer, portrait: Registered) -> None:
    def brows(**controls: float) -> float:
        h = driven(renderer, portrait, **controls).head_mm
        return float(h[[105, 334], 1].mean() - h[[33, 263], 1].mean())

    assert brows(browUp=1) < brows() - 1.5
    assert brows(browDown=1) > brows() + 0.7


@pytest.mark.parametrize(
    "controls",
    [
        ("lipGap", "jawOpen"),
        ("eyeBlinkLeft",),
        ("gazeX",),
        ("gazeY",),
        ("mouthPress",),
        ("mouthPucker", "lipGap"),
        ("mouthRollLower",),
        ("mouthSmile",),
    ],
)
def test_small_steps_make_small_changes(
    renderer: StarterRenderer, portrait: Registered, controls: tuple[str, ...]
) -> None:
    low = -0.5 if controls[0].startswith("gaze") else 0.0
    frames = [
        renderer.render_head(
            portrait.appearance, motion(portrait, **dict.fromkeys(controls, float(amount)))
        ).astype(np.float32)
        for amount in np.linspace(low, 0.5, 21)
    ]
    steps = [cv2.blur(np.abs(b - a).mean(-1), (5, 5)).max() for a, b in pairwise(frames)]
    assert max(steps) < 2.5 * np.median(steps) + 3  # nothing pops in or out
