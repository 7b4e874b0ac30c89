"""The head turns as asked, the background holds still, and the FULL view shows no seam."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ditto.motion import layout
from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.pose import head_pose
from ditto.packs.starter.renderer.traits import Traits
from tests.packs.starter.renderer.driving import Registered, at_rest, driven, measured, motion

AXES = {"pitch": 0, "yaw": 1, "roll": 2}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("degrees", [-8.0, 8.0])
def test_turns_come_out_in_direction_and_size(
    renderer: StarterRenderer, portrait: Registered, axis: str, degrees: float
) -> None:
    turn = np.zeros(3)
    turn[AXES[axis]] = degrees
    own = np.array(driven(renderer, portrait).frame.angles_degrees())
    turned = np.array(driven(renderer, portrait, tuple(turn)).frame.angles_degrees()) - own
    assert 0.55 * 8 < turned[AXES[axis]] * np.sign(degrees) < 1.4 * 8
    others = np.delete(turned, AXES[axis])
    assert np.all(np.abs(others) < 3.5)


def test_the_head_shifts_by_t(renderer: StarterRenderer, portrait: Registered) -> None:
    frame = renderer.render_head(portrait.appearance, motion(portrait, t=(0.05, -0.03, 0)))
    still = renderer.render_head(portrait.appearance, motion(portrait))
    moved = (measured(frame).xy - measured(still).xy)[:468].mean(0)
    np.testing.assert_allclose(moved, (12.8, -7.7), atol=2)


def test_faces_keep_their_geometry_when_turned(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    points = (33, 133, 263, 362, 4, 168, 152)  # eye corners, nose, chin
    own = measured(portrait.appearance.still).head_mm[list(points)]
    for turn in ((6, 0, 0), (0, 8, 0), (0, -8, 0), (0, 0, 8)):
        found = driven(renderer, portrait, turn, lipGap=0.07 / 0.1).head_mm[list(points)]
        assert np.abs(found[:, :2] - own[:, :2]).mean() < 3.5  # millimetres


def test_the_background_holds_still(renderer: StarterRenderer, portrait: Registered) -> None:
    still = portrait.appearance.still.astype(int)
    for turn in ((0, 10, 0), (0, -10, 0), (8, 0, 0), (0, 0, 8)):
        frame = renderer.render_head(portrait.appearance, motion(portrait, turn)).astype(int)
        change = np.abs(frame - still).mean(-1)
        assert change[150:400, 150:360].mean() > 4  # the face moved
        corners = np.concatenate([change[:120, :70].ravel(), change[:120, -70:].ravel()])
        assert corners.mean() < 1
        assert change[:20].max() + change[:, :20].max() + change[:, -20:].max() == 0


def test_the_full_view_changes_only_around_the_head(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    appearance = portrait.appearance
    own = renderer.render_head(appearance, at_rest(portrait))
    full = renderer.paste_back(appearance, own)
    assert full.shape == appearance.portrait.shape
    error = np.abs(full.astype(int) - appearance.portrait).mean(-1)
    x0, y0, x1, y1 = appearance.paste_region.box
    outside = np.ones(error.shape, bool)
    outside[y0:y1, x0:x1] = False
    assert error[outside].max(initial=0) == 0
    band = np.zeros(error.shape, bool)
    band[y0:y1, x0:x1] = True
    band[y0 + 20 : y1 - 20, x0 + 20 : x1 - 20] = False
    assert error[band].mean() < 2  # no seam


def test_a_turned_face_gets_less_room() -> None:
    values = dict.fromkeys(Traits.__dataclass_fields__, 1.0)
    frontal = Traits(**values | {"pitch": 0, "yaw": 0, "roll": 0})
    turned = Traits(**values | {"pitch": 0, "yaw": 28, "roll": 0})

    def angle(degrees: float) -> layout.Motion:
        zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
        flat = np.zeros((1, 3), np.float32)
        exp = np.zeros((1, 63), np.float32)
        return layout.Motion(one, zero, one * np.float32(degrees), zero, flat, exp)

    def size(traits: Traits, degrees: float) -> float:
        pose = head_pose(angle(degrees), angle(0), traits, np.zeros(3, np.float32))
        return float(np.abs(pose.turn[0, 2]))

    assert size(turned, 15) < 0.5 * size(frontal, 15)
    assert size(turned, -15) > 0.7 * size(frontal, 15)
    assert size(frontal, 80) < np.sin(np.radians(23))


def test_threads_share_a_portrait(renderer: StarterRenderer, portrait: Registered) -> None:
    frames = [
        motion(
            portrait, (k % 3, k - 6, 0), lipGap=k / 12, jawOpen=0.3, eyeBlinkLeft=k % 2, gazeX=0.3
        )
        for k in range(12)
    ]

    def draw(frame: np.ndarray) -> np.ndarray:
        head = renderer.render_head(portrait.appearance, frame)
        return renderer.paste_back(portrait.appearance, head)

    alone = [draw(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, frames * 3))
    for k, full in enumerate(together):
        np.testing.assert_array_equal(full, alone[k % 12])
