"""Segment fusion against the golden file, and what must hold for any setting."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.errors import InvalidInputError
from ditto.models.recipe_inputs import motion_vectors
from ditto.motion import fuse
from ditto.motion.fuse import FuseOptions
from tests.golden.logic import arrays, cases, folders, largest_error
from tests.golden.logic_inputs import source_motion

ATOL = 3e-6


def _options(arguments: dict[str, Any]) -> FuseOptions:
    keeps = arguments.get("fix_kp_cond_dim")
    return FuseOptions(
        overlap=arguments["overlap_v2"],
        online=arguments.get("online_mode", False),
        smooth_frames=arguments.get("smo_k_d", 3),
        reset_every=arguments.get("fix_kp_cond", 0),
        reset_keeps=None if keeps is None else (keeps[0], keeps[1]),
    )


@pytest.mark.parametrize(("folder", "case"), cases("logic_fuse"))
def test_golden(folder: Path, case: dict[str, Any]) -> None:
    golden, name = arrays(folder, "logic_fuse"), case["name"]
    options = _options(case["kwargs"])
    assert options.blend_frames == case["fuse_length"]
    assert options.valid_frames == case["valid_clip_len"]
    weights = fuse.blend_weights(options.blend_frames)
    assert largest_error(weights, golden[f"{name}.fuse_alpha"]) <= ATOL

    state = fuse.init_state(source_motion(1)[0])
    for call in range(case["calls"]):
        assert largest_error(state.reference, golden[f"{name}.kp_cond_used"][call]) <= ATOL
        state = fuse.step(state, motion_vectors(f"input:fuse:pred:{call}", 80), options)
        fused = state.frames[:, case["cols"]]
        assert largest_error(fused, golden[f"{name}.after{call}.cols"]) <= ATOL
        if f"{name}.next_kp_cond{call}" in golden:
            assert largest_error(state.reference, golden[f"{name}.next_kp_cond{call}"]) <= ATOL
    if f"{name}.final" in golden:
        assert largest_error(state.frames, golden[f"{name}.final"]) <= ATOL
    if not options.online:
        offline = fuse.finish_offline(state, len(state.frames) - 7, options)[:, case["cols"]]
        assert largest_error(offline, golden[f"{name}.offline_final_smooth_cut7.cols"]) <= ATOL


@pytest.mark.parametrize("folder", folders())
def test_limits_are_on_scale_minus_one(folder: Path) -> None:
    golden = arrays(folder, "logic_fuse")
    prediction = motion_vectors("input:fuse:pred:0", 80)
    state = fuse.step(fuse.init_state(source_motion(1)[0]), prediction, FuseOptions())
    limited = np.clip(state.frames, -0.1, 0.2)
    assert largest_error(limited[:, :1] + 1, golden["clip.scale"]) <= ATOL
    assert largest_error(limited[:, 202:210], golden["clip.exp"]) <= ATOL
    assert largest_error(limited[:, 1:9], golden["clip.pitch"]) <= ATOL


@given(
    overlap=st.integers(1, 79),
    online=st.booleans(),
    smooth_frames=st.integers(1, 9),
    segments=st.integers(1, 4),
)
def test_equal_predictions_fuse_to_themselves(
    overlap: int, online: bool, smooth_frames: int, segments: int
) -> None:
    options = FuseOptions(overlap, online=online, smooth_frames=smooth_frames)
    still = np.repeat(source_motion(1), 80, axis=0)
    state = fuse.init_state(still[0])
    for _ in range(segments):
        state = fuse.step(state, still, options)
    assert len(state.frames) == 80 + (segments - 1) * (80 - overlap)
    np.testing.assert_allclose(state.frames, np.broadcast_to(still[0], state.frames.shape), 1e-5)


def test_keeping_the_last_rows_changes_nothing_that_follows() -> None:
    options = FuseOptions(70, online=True)
    whole = cut = fuse.init_state(source_motion(1)[0])
    for call in range(7):
        prediction = motion_vectors(f"input:fuse:pred:{call}", 80)
        whole = fuse.step(whole, prediction, options)
        cut = fuse.keep_last(fuse.step(cut, prediction, options), 100)
    np.testing.assert_array_equal(cut.frames, whole.frames[-100:])
    np.testing.assert_array_equal(cut.reference, whole.reference)


@pytest.mark.parametrize(("overlap", "smooth_frames"), [(0, 3), (80, 3), (70, 0)])
def test_impossible_options_are_refused(overlap: int, smooth_frames: int) -> None:
    with pytest.raises(InvalidInputError):
        FuseOptions(overlap, smooth_frames=smooth_frames)


def test_a_prediction_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="prediction"):
        fuse.step(
            fuse.init_state(source_motion(1)[0]), np.zeros((79, 265), np.float32), FuseOptions()
        )
