"""Motion on a portrait against the golden file, and what must hold for any motion."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.models.recipe_inputs import motion_vectors
from ditto.motion import stitch
from ditto.motion.blink import blink_rows
from ditto.motion.frame_control import FrameControl
from ditto.motion.stitch import BlinkTable, StitchOptions, StitchSource
from tests.golden.logic import arrays, cases, largest_error
from tests.golden.logic_inputs import normal32, source_keypoints, source_motion

ATOL = 3e-6
NAMES = {"drive_eye": "drive_eyes", "relative_d": "relative", "fade_type": "fade_to"}


def _control(recipe: dict[str, Any]) -> FrameControl:
    values = dict(recipe)
    if "delta_exp" in values:
        values["delta_exp"] = normal32("input:delta_exp", (1, 63), 0, 0.03)
    return FrameControl(**values)


def _options(case: dict[str, Any], source: StitchSource) -> StitchOptions:
    setup = case["setup"]
    base = StitchOptions()
    if not case["is_image"]:
        base = StitchOptions(fields=stitch.VIDEO_FIELDS, drive_eyes=False)
    options = replace(base, **{NAMES[key]: setup[key] for key in NAMES if key in setup})
    fields = setup.get("use_d_keys", options.fields)
    fields = fields if isinstance(fields, dict) else dict.fromkeys(fields, 1.0)
    if "ch_info" in setup:
        ratio = (source_motion(3)[2, 0] + 1) / (source.motion[0, 0] + 1)
        fields = stitch.scaled_fields(fields, float(ratio))
    blinks = None
    if case["blink_idx"]:
        spans = setup["delta_eye_open_n"]
        rows = blink_rows(len(case["blink_idx"]), spans, random.Random(0))
        assert rows.tolist() == case["blink_idx"]
        blinks = BlinkTable(normal32("input:delta_eye", (15, 63), 0, 0.02), rows)
    return replace(
        options,
        fields=fields,
        blinks=blinks,
        fade_fields=tuple(setup.get("fade_out_keys", ("exp",))),
        defaults=FrameControl(delta_yaw=7.0 if "overall_ctrl_info" in setup else None),
    )


def run_case(case: dict[str, Any], network: Callable | None) -> tuple[np.ndarray, np.ndarray]:
    """Source and driven keypoints (n, 21, 3) of a golden configuration."""
    source = StitchSource(source_motion(case["n_src"]), source_keypoints(case["n_src"]))
    motion = motion_vectors("input:drive:0", 40)[: case["n"]]
    anchor = motion[0]
    if "d0" in case["setup"]:
        anchor = motion_vectors("input:drive:d0", 1)[0]
    controls = {int(frame): _control(recipe) for frame, recipe in (case["ctrl"] or {}).items()}
    options = _options(case, source)
    return stitch.stitch(source, motion, 0, anchor, options, controls, network)


@pytest.mark.parametrize(("folder", "case"), cases("logic_motion_stitch"))
def test_golden(folder: Path, case: dict[str, Any]) -> None:
    golden = arrays(folder, "logic_motion_stitch")
    network = _stitch_network() if case["setup"].get("flag_stitch") else None
    x_s, x_d = run_case(case, network)
    assert x_d.dtype == np.float32
    assert largest_error(x_s, golden[f"{case['name']}.x_s"]) <= ATOL
    assert largest_error(x_d, golden[f"{case['name']}.x_d"]) <= ATOL


def _stitch_network() -> stitch.Network:
    """The stitching network with the recipe's weights."""
    import torch

    from ditto.models.generated_weights import load_generated
    from ditto.models.stitch_network import StitchNetwork

    network = load_generated(StitchNetwork())

    def run(x_s: np.ndarray, x_d: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(x_s), torch.from_numpy(x_d)).numpy()

    return run


SOURCE = StitchSource(source_motion(1), source_keypoints(1))
MOTION = motion_vectors("input:drive:0", 40)


def test_the_anchor_leaves_the_portrait_as_it_is() -> None:
    still = np.repeat(MOTION[:1], 3, axis=0)
    x_s, x_d = stitch.stitch(SOURCE, still, 0, MOTION[0], StitchOptions())
    np.testing.assert_allclose(x_d, x_s, atol=1e-6)


@pytest.mark.parametrize("sources", [1, 3])
def test_chunks_equal_the_whole(sources: int) -> None:
    source = StitchSource(source_motion(sources), source_keypoints(sources))
    rows = blink_rows(60, [2, 5], random.Random(0))
    table = BlinkTable(normal32("input:delta_eye", (15, 63), 0, 0.02), rows)
    options = StitchOptions(blinks=table, fade_to="s")
    controls = {7: FrameControl(delta_yaw=4.0), 12: FrameControl(fade_alpha=0.3)}
    _, whole = stitch.stitch(source, MOTION, 0, MOTION[0], options, controls)
    parts = [
        stitch.stitch(source, MOTION[first : first + 7], first, MOTION[0], options, controls)[1]
        for first in range(0, 40, 7)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_a_fade_of_a_pose_in_degrees_ends_at_its_target() -> None:
    options = StitchOptions(fade_to="s", fade_fields=("exp", "pitch", "yaw", "roll", "t"))
    gone = {0: FrameControl(delta_yaw=20.0, fade_alpha=0.0)}
    x_s, x_d = stitch.stitch(SOURCE, MOTION[5:6], 0, MOTION[0], options, gone)
    np.testing.assert_allclose(x_d, x_s, atol=1e-5)


def test_gaze_can_follow_a_source_video() -> None:
    source = StitchSource(source_motion(3), source_keypoints(3))
    options = StitchOptions(fields={"exp": 1.0}, gaze_follows_source=True)
    still = np.repeat(MOTION[:1], 3, axis=0)
    x_s, followed = stitch.stitch(source, still, 0, MOTION[0], options)
    np.testing.assert_allclose(followed, x_s, atol=1e-6)
    _, frozen = stitch.stitch(
        source, still, 0, MOTION[0], replace(options, gaze_follows_source=False)
    )
    assert np.abs(frozen - x_s).max() > 1e-4


def test_voice_activity_zero_keeps_the_source_expression() -> None:
    quiet = {frame: FrameControl(vad_alpha=0.0) for frame in range(3)}
    fields = StitchOptions(fields={"exp": 1.0})
    x_s, x_d = stitch.stitch(SOURCE, MOTION[:3], 0, MOTION[9], fields, quiet)
    np.testing.assert_allclose(x_d, x_s, atol=1e-6)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="ears"):
        StitchOptions(fields={"ears": 1.0})
    with pytest.raises(InvalidInputError, match="fade_to"):
        StitchOptions(fade_to="black")
    with pytest.raises(InvalidInputError, match="motion"):
        stitch.stitch(SOURCE, MOTION[:, :264], 0, MOTION[0], StitchOptions())
