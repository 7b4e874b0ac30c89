"""The frame scheduler against the worker's event trace, and what must hold for any chunking.

Features and predictions carry the frame number as a marker.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ditto.errors import InvalidInputError, ProtocolError
from ditto.models.recipe_inputs import motion_vectors
from ditto.motion import fuse, scheduler
from ditto.motion.fuse import FuseOptions
from ditto.motion.scheduler import SchedulerOptions, SchedulerState, Window
from tests.golden.logic import cases
from tests.golden.logic_inputs import source_motion

Array = np.ndarray


def _numbered(first: int, end: int) -> Array:
    return np.repeat(np.arange(first, end, dtype=np.float32)[:, None], 4, axis=1)


def _options(overlap: int, **settings: Any) -> SchedulerOptions:
    return SchedulerOptions(FuseOptions(overlap, online=True, smooth_frames=1), **settings)


def _start(options: SchedulerOptions) -> SchedulerState:
    silence = _numbered(-options.fuse.overlap, 0)
    return scheduler.init_state(silence, source_motion(1)[0], options)


def _marker_prediction(window: Window) -> Array:
    return np.repeat(window.features[:, :1], 265, axis=1)


def _summary(frames: Array | None) -> list[int]:
    if frames is None:
        return []
    return [round(float(frames[0, 0])), round(float(frames[-1, 0])), len(frames)]


@pytest.mark.parametrize(("folder", "case"), cases("logic_scheduler"))
def test_golden_trace(folder: Path, case: dict[str, Any]) -> None:
    options = _options(case["overlap"], keep_reference_count=True)
    windows: list[list[int]] = []

    def predict(window: Window) -> Array:
        numbers = window.features[:, 0]
        windows.append([int(numbers[0]), int(numbers[-1]), window.first_frame])
        return _marker_prediction(window)

    state, emitted = _start(options), 0
    for event in case["events"]:
        windows.clear()
        if event["frames_in"] is None:
            state, frames = scheduler.flush(state, predict, options)
        else:
            first, last = event["frames_in"]
            state, frames = scheduler.step(state, _numbered(first, last + 1), predict, options)
        assert windows == event["lmdm_windows"]
        assert _summary(frames) == event["emitted"]
        emitted += 0 if frames is None else len(frames)
    assert emitted == case["total_emitted"]
    assert state.anchor is not None
    assert state.anchor[0] == case["d0_frame"]


def _run(chunks: list[Array], options: SchedulerOptions) -> Array:
    state, out = _start(options), []
    for chunk in chunks:
        state, frames = scheduler.step(state, chunk, _marker_prediction, options)
        out.append(frames)
        assert len(state.features) < 80
        assert len(state.fused.frames) <= 160
    out.append(scheduler.flush(state, _marker_prediction, options)[1])
    rows = [frames for frames in out if frames is not None]
    return np.concatenate(rows) if rows else np.empty((0, 265), np.float32)


@settings(deadline=None)
@given(
    overlap=st.integers(1, 79),
    cuts=st.lists(st.integers(0, 230), max_size=12),
    frames=st.integers(0, 230),
)
def test_every_feature_frame_gets_its_motion_frame(
    overlap: int, cuts: list[int], frames: int
) -> None:
    edges = [0, *sorted(min(cut, frames) for cut in cuts), frames]
    chunks = [_numbered(first, end) for first, end in pairwise(edges)]
    motion = _run(chunks, _options(overlap))
    np.testing.assert_allclose(motion[:, 0], np.arange(frames), atol=1e-3)


@pytest.mark.parametrize("overlap", [40, 70, 75])
def test_the_exact_count_is_the_start_of_the_reference_output(overlap: int) -> None:
    chunks = [_numbered(0, 103)]
    exact = _run(chunks, _options(overlap))
    padded = _run(chunks, _options(overlap, keep_reference_count=True))
    np.testing.assert_array_equal(exact, padded[:103])


def test_two_calls_in_turn_do_not_mix() -> None:
    options = _options(70)
    chunks = [_numbered(first, first + 5) for first in range(0, 50, 5)]
    other = [1000 + chunk for chunk in chunks]
    states, outputs = [_start(options), _start(options)], [[], []]
    for pair in zip(chunks, other, strict=True):
        for call, chunk in enumerate(pair):
            states[call], frames = scheduler.step(states[call], chunk, _marker_prediction, options)
            outputs[call] += [] if frames is None else [frames]
    for call, alone in enumerate((chunks, other)):
        expected = _run(alone, options)
        got = np.concatenate(outputs[call])
        np.testing.assert_array_equal(got, expected[: len(got)])
        assert len(got) == 40


def test_limits_hold_for_frames_and_anchor() -> None:
    low, high = np.full(265, 3, np.float32), np.full(265, 7, np.float32)
    options = _options(70, limits=(low, high))
    state, _ = scheduler.step(_start(options), _numbered(0, 20), _marker_prediction, options)
    assert state.anchor is not None
    assert state.anchor.min() == 3
    frames = _run([_numbered(0, 30)], options)
    assert frames.min() == 3
    assert frames.max() == 7


@pytest.mark.parametrize("frames", [1, 70, 80, 81, 200])
def test_offline_equals_fusing_by_hand(frames: int) -> None:
    options = SchedulerOptions(FuseOptions(10))
    predictions = [motion_vectors(f"input:fuse:pred:{call}", 80) for call in range(4)]
    firsts: list[int] = []

    def predict(window: Window) -> Array:
        assert len(window.features) == 80
        assert window.features[0, 0] == window.first_frame
        firsts.append(window.first_frame)
        return predictions[len(firsts) - 1]

    source = source_motion(1)[0]
    motion = scheduler.run_offline(_numbered(0, frames), source, predict, options)
    assert firsts == list(range(0, frames, 70))
    state = fuse.init_state(source)
    for prediction in predictions[: len(firsts)]:
        state = fuse.step(state, prediction, options.fuse)
    np.testing.assert_array_equal(motion, fuse.finish_offline(state, frames, options.fuse))
    assert motion.shape == (frames, 265)


def test_misuse_is_refused() -> None:
    options = _options(70)
    state = _start(options)
    with pytest.raises(InvalidInputError, match="silence"):
        scheduler.init_state(_numbered(0, 69), source_motion(1)[0], options)
    with pytest.raises(InvalidInputError, match="features"):
        scheduler.push(state, np.zeros((5, 3), np.float32))
    with pytest.raises(ProtocolError):
        scheduler.push(scheduler.finish(state), _numbered(0, 5))
