"""Condition rows and emotion vectors against the golden file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ditto.errors import InvalidInputError
from ditto.motion.condition import (
    ConditionBlocks,
    ConditionSource,
    assemble,
    emotion_vectors,
    intense_emotion,
)
from tests.golden.logic import arrays, cases, folders, largest_error
from tests.golden.logic_inputs import normal32, source_keypoints, uniform32

ATOL = 3e-6


def _source(case: dict[str, Any]) -> ConditionSource:
    sources = range(case["n_src"])
    opens = [uniform32(f"input:cond:eye_open:{i}", (1, 2)) for i in sources]
    balls = [normal32(f"input:cond:eye_ball:{i}", (1, 6), 0, 0.1) for i in sources]
    return ConditionSource(
        source_keypoints(1)[0],
        np.concatenate(opens),
        np.concatenate(balls),
        emotion_vectors(case["emo"]),
        pin_eyes=case["eye_f0_mode"],
    )


@pytest.mark.parametrize(("folder", "case"), cases("logic_condition"))
def test_golden(folder: Path, case: dict[str, Any]) -> None:
    features = normal32("input:cond:aud", (200, 1024))[: case["n"]]
    blocks = ConditionBlocks(
        emotion=case["flags"].get("use_emo", True),
        keypoints=case["flags"].get("use_sc", True),
    )
    rows = assemble(features, case["idx"], _source(case), blocks)
    assert list(rows.shape) == case["out_shape"]
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[:, :1024], features)
    golden = arrays(folder, "logic_condition")[f"{case['name']}.extra"]
    assert largest_error(rows[:, 1024:], golden) <= ATOL


@pytest.mark.parametrize("folder", folders())
def test_emotion_vectors(folder: Path) -> None:
    golden = arrays(folder, "logic_condition")
    singles = np.concatenate([emotion_vectors(label) for label in range(8)])
    assert largest_error(singles, golden["emo_single"]) <= ATOL
    assert largest_error(emotion_vectors([3, 4])[0], golden["emo_3_4"]) <= ATOL
    assert largest_error(emotion_vectors([0, 1, 2])[0], golden["emo_0_1_2"]) <= ATOL


def test_ready_vectors_pass_through_and_are_cycled() -> None:
    vectors = np.eye(8, dtype=np.float32)[:3]
    source = ConditionSource(
        np.zeros(63, np.float32),
        np.zeros((1, 2), np.float32),
        np.zeros((1, 6), np.float32),
        emotion_vectors(vectors),
    )
    rows = assemble(np.zeros((7, 4), np.float32), -2, source)
    assert rows[:, 4:12].argmax(axis=1).tolist() == [0, 0, 0, 1, 2, 0, 1]


def test_intensity_runs_from_neutral_to_the_trained_vector() -> None:
    np.testing.assert_allclose(intense_emotion("happy", 0.0), emotion_vectors())
    np.testing.assert_allclose(intense_emotion("happy", 1.0), emotion_vectors(3), atol=1e-7)
    assert intense_emotion("happy", 0.5).sum() == pytest.approx(1)


@pytest.mark.parametrize("emotion", [8, -1, [], [[]], [3, 9], [[1], 2], np.zeros((2, 7))])
def test_unknown_emotions_are_refused(emotion: Any) -> None:
    with pytest.raises(InvalidInputError, match="emotion"):
        emotion_vectors(emotion)
