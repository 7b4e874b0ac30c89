"""The FULL view of a large portrait: no seam, a still background, a note where it was scaled."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ditto.packs.starter.renderer import StarterRenderer
from tests.face import example
from tests.packs.starter.renderer.driving import motion


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """2400 x 1500: a person in the middle of a wide picture."""
    image = cv2.resize(example.astronaut(), (1500, 1500), interpolation=cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(image, 0, 0, 450, 450, cv2.BORDER_REFLECT)


def test_a_larger_portrait_is_scaled_with_a_warning(
    renderer: StarterRenderer, large: np.ndarray
) -> None:
    registered = renderer.prepare(large)
    assert renderer.full_size(registered.appearance) == (1920, 1200)
    assert any("1920x1200" in warning for warning in registered.warnings)
    within = renderer.prepare(cv2.resize(large, (1920, 1200), interpolation=cv2.INTER_AREA))
    assert not any("scaled" in warning for warning in within.warnings)


def test_a_moving_head_leaves_no_seam_and_nothing_else_moves(
    renderer: StarterRenderer, large: np.ndarray
) -> None:
    registered = renderer.prepare(large)
    appearance = registered.appearance
    portrait = appearance.portrait.astype(int)
    x0, y0, x1, y1 = appearance.paste_region.box
    for turn in ((0, 9, 0), (0, -9, 0), (7, 0, 0), (0, 0, 8)):
        head = renderer.render_head(appearance, motion(registered, turn, lipGap=0.5))
        full = renderer.paste_back(appearance, head).astype(int)
        change = np.abs(full - portrait).mean(-1)
        outside = np.ones(change.shape, bool)
        outside[y0:y1, x0:x1] = False
        assert change[outside].max() == 0
        border = np.concatenate([
            change[y0, x0:x1], change[y1 - 1, x0:x1], change[y0:y1, x0], change[y0:y1, x1 - 1]
        ])  # fmt: skip
        assert border.mean() < 1
        assert np.quantile(border, 0.99) < 4
        assert change[y0:y1, x0:x1].max() > 40  # the head moved
