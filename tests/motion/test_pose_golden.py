"""Bins to degrees, rotation, keypoint transform and packing, against the golden file."""

from pathlib import Path

import numpy as np
import pytest

from ditto.models.recipe_inputs import drawn
from ditto.motion.layout import Motion, logits_to_degrees, unpack
from ditto.motion.rotation import rotation_matrix, transform_keypoints
from tests.golden.logic import arrays, folders, largest_error
from tests.golden.logic_inputs import normal32, source_keypoints, source_motion

DEGREES = 1e-4
KEYPOINTS = 3e-6


@pytest.fixture(params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    folder: Path = request.param
    return arrays(folder, "logic_pose")


def test_bins_to_degrees(golden: dict[str, np.ndarray]) -> None:
    logits = normal32("input:pose:logits", (8, 3, 66), 0, 6)
    assert largest_error(logits_to_degrees(logits), golden["degrees"]) <= DEGREES
    one_hot = logits_to_degrees(np.eye(66, dtype=np.float32) * 100)
    assert largest_error(one_hot, golden["onehot_degrees"]) <= DEGREES


def test_rotation(golden: dict[str, np.ndarray]) -> None:
    angles = drawn("input:pose:angles", (8, 3), "uniform", -60, 120)
    assert largest_error(angles, golden["angles"]) == 0
    assert largest_error(rotation_matrix(*angles.T), golden["rotation"]) <= KEYPOINTS


def _posed(motion: Motion, canonical: np.ndarray) -> np.ndarray:
    rotation = rotation_matrix(motion.pitch, motion.yaw, motion.roll)
    return transform_keypoints(canonical, rotation, motion.exp, motion.scale, motion.t)


def test_keypoint_transform(golden: dict[str, np.ndarray]) -> None:
    frames = source_motion(4)
    assert largest_error(frames, golden["src_vec"]) == 0
    posed = _posed(unpack(frames), source_keypoints(4).reshape(4, 21, 3))
    assert largest_error(posed, golden["transform"]) <= KEYPOINTS


def test_packing_keeps_every_field_in_its_place(golden: dict[str, np.ndarray]) -> None:
    motion = unpack(golden["dic2arr"])
    assert largest_error(motion.scale, golden["src_vec"][:, 0] + 1) <= KEYPOINTS
    assert largest_error(motion.t, golden["src_vec"][:, 199:202]) <= KEYPOINTS
    assert largest_error(motion.exp, golden["src_vec"][:, 202:]) <= KEYPOINTS


@pytest.mark.parametrize("case", [0, 1])
def test_extracted_pose_in_degrees(golden: dict[str, np.ndarray], case: int) -> None:
    motion = unpack(golden[f"extractor_case{case}.vec265"][None])
    angles = np.concatenate([motion.pitch, motion.yaw, motion.roll])
    assert largest_error(angles, golden[f"extractor_case{case}.degrees"]) <= DEGREES
