"""Blend mask and paste-back against the golden file."""

from pathlib import Path

import numpy as np
import pytest

from ditto.face.reference_paste import blend_mask, paste_region, paste_render
from tests.golden.logic import arrays, folders, largest_error
from tests.golden.logic_inputs import rendered_head, video_frame


@pytest.fixture(params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    folder: Path = request.param
    return arrays(folder, "logic_putback")


def test_mask(golden: dict[str, np.ndarray]) -> None:
    assert largest_error(blend_mask(), golden["mask512"]) <= 1e-6


@pytest.mark.parametrize("case", ["c0", "c1"])
def test_paste(golden: dict[str, np.ndarray], case: str) -> None:
    frame = video_frame()
    region = paste_region(golden[f"{case}.M_c2o"], *frame.shape[:2])
    pasted = paste_render(frame, rendered_head(), region)
    expected = golden[f"{case}.out_sub"].astype(int)
    difference = np.abs(pasted.reshape(-1, 3)[::41].astype(int) - expected)
    assert difference.max() <= 4
    assert difference.mean() < 0.5
    assert pasted.mean() == pytest.approx(golden[f"{case}.out_mean"], abs=0.01)
    changed = int((pasted != frame).any(axis=-1).sum())
    assert changed == pytest.approx(golden[f"{case}.changed_pixels"], rel=1e-3)


def test_a_head_outside_the_frame_changes_nothing() -> None:
    frame = video_frame()
    away = np.array([[1, 0, 5000], [0, 1, 0], [0, 0, 1]], np.float32)
    region = paste_region(away, *frame.shape[:2])
    np.testing.assert_array_equal(paste_render(frame, rendered_head(), region), frame)


def test_pasting_leaves_the_frame_itself_alone() -> None:
    frame = video_frame()
    region = paste_region(np.eye(3, dtype=np.float32), *frame.shape[:2])
    pasted = paste_render(frame, rendered_head(), region)
    np.testing.assert_array_equal(frame, video_frame())
    centre = (slice(26, 486), slice(26, 486))
    np.testing.assert_array_equal(pasted[centre], rendered_head()[centre].astype(np.uint8))
