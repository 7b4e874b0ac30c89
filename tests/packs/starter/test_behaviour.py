"""Blinks, glances and posture: functions of (seed, frame) with human statistics."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.packs.starter import behaviour, coordinates

TEN_MINUTES = np.arange(25 * 600)


@pytest.mark.parametrize("process", [behaviour.blink, behaviour.gaze, behaviour.posture])
def test_a_process_depends_on_seed_and_frame_alone(process) -> None:  # type: ignore[no-untyped-def]
    whole = process(5, TEN_MINUTES[:2000])
    for start in (0, 3, 89, 90, 1234):
        np.testing.assert_array_equal(
            whole[start : start + 7], process(5, np.arange(start, start + 7))
        )
    assert not np.array_equal(whole, process(6, TEN_MINUTES[:2000]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_blinks_are_as_frequent_and_as_long_as_people_s(seed: int) -> None:
    lids = behaviour.blink(seed, TEN_MINUTES)
    starts = np.flatnonzero(np.diff((lids > 0).astype(int)) == 1)
    ends = np.flatnonzero(np.diff((lids > 0).astype(int)) == -1)
    assert 12 <= len(starts) / 10 <= 20
    lengths = (
        ends[1:] - starts[: len(ends) - 1] if ends[0] < starts[0] else ends - starts[: len(ends)]
    )
    assert 5 <= np.median(lengths) <= 8
    assert lids.max() == 1


def test_eyes_rest_mostly_on_the_camera() -> None:
    glance = behaviour.gaze(0, TEN_MINUTES)
    assert (np.abs(glance).max(1) < 0.1).mean() > 0.5
    assert np.abs(glance).max() > 0.15


def test_posture_starts_at_home_and_stays_near_it() -> None:
    pose = behaviour.posture(0, np.arange(-50, 25 * 600))
    assert not pose[:50].any()
    np.testing.assert_allclose(pose.mean(0)[:3], 0, atol=0.5)
    assert (np.abs(pose[:, :3]) < 6).all()


def test_eye_state_is_one_when_open_and_zero_when_shut() -> None:
    eyes = behaviour.eye_state(np.array([0, 1], np.float32), np.array([[0, 0], [0.2, -0.1]]))
    np.testing.assert_allclose(eyes[0], [1, 1, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(eyes[1], [0, 0, 0.2, 0.2, -0.1, -0.1, 0, 0], rtol=1e-6)


def test_reference_steer_moves_the_head_alone() -> None:
    steer = behaviour.reference_steer(np.ones((3, 6), np.float32))
    assert (steer[:, coordinates.POSE_PART] == 1).all()
    assert not steer[:, : len(coordinates.CONTROLS)].any()
