"""Mirrored sources, blink lists, fades and control defaults, against the golden file."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ditto.motion.blink import BLINK_FRAMES, blink_rows
from ditto.motion.frame_control import FrameControl, controls_of, fade_alphas
from ditto.motion.mirror import box_smooth, mirror_index
from tests.golden.logic import folders, table
from tests.golden.logic_inputs import source_keypoints, source_motion


@pytest.fixture(params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    folder: Path = request.param
    return table(folder, "logic_misc")


def test_mirror_index(golden: dict[str, Any]) -> None:
    for length, expected in golden["mirror_index"].items():
        assert mirror_index(np.arange(len(expected)), int(length)).tolist() == expected


@pytest.mark.parametrize(
    ("name", "open_frames"),
    [("no_blink", -1), ("fixed", 20), ("loop", [10, 25]), ("random_python_seed_1234", 0)],
)
def test_blink_rows(golden: dict[str, Any], name: str, open_frames: int | list[int]) -> None:
    expected = golden["eye_blink_idx"][name]
    rng = random.Random(1234)
    assert blink_rows(len(expected), open_frames, rng).tolist() == expected


def test_blinks_are_whole() -> None:
    for seed in range(20):
        rows = blink_rows(700, 0, random.Random(seed))
        blinks = int((rows == 1).sum())
        assert blinks >= 4
        assert rows.sum() == blinks * sum(range(BLINK_FRAMES))


def test_source_smoothing(golden: dict[str, Any]) -> None:
    cycle = [row % 4 for row in range(9)]
    rows = np.concatenate([source_motion(4), source_keypoints(4)], axis=1)[cycle]
    rows[:, 0] += 1
    smoothed = box_smooth(rows, 5)
    first_column = {"scale": 0, "pitch": 1, "exp": 202, "kp": 265}
    for name, column in first_column.items():
        expected = np.array(golden["smooth_src_k5_first4"][name])
        got = smoothed[:, column : column + expected.shape[1]]
        np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("fade_Nd50_in5_out10", (50, 5, 10)), ("fade_Nd12_in-1_out4", (12, -1, 4))],
)
def test_fades(golden: dict[str, Any], name: str, arguments: tuple[int, int, int]) -> None:
    alphas = fade_alphas(*arguments)
    listed = {int(frame): alpha for frame, alpha in golden[name].items()}
    for frame, alpha in listed.items():
        assert alphas[frame] == pytest.approx(alpha)


def test_a_frame_s_control_goes_before_the_default() -> None:
    defaults = FrameControl(delta_yaw=7.0, alpha_pitch=0.5)
    controls = controls_of(3, 2, {4: FrameControl(delta_yaw=0.0)}, defaults)
    np.testing.assert_array_equal(controls.pose_delta[:, 1], [7, 0])
    np.testing.assert_array_equal(controls.pose_alpha[:, 0], [0.5, 0.5])
    assert controls.pose_in_degrees.tolist() == [[False, True, False]] * 2
