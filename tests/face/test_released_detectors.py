"""Inputs and decoded outputs of the released face networks, against the golden files."""

from pathlib import Path

import numpy as np
import pytest

from ditto.errors import FaceError, InvalidInputError
from ditto.face import blaze_face, eye_state, face_mesh, landmark106, landmark203, scrfd
from ditto.models.recipe import uniform
from tests.golden.logic import arrays, folders, largest_error
from tests.golden.logic_inputs import normal32, uniform32, video_frame

PIXELS = 1e-3


@pytest.fixture(params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    folder: Path = request.param
    return (
        arrays(folder, "logic_detectors")
        | {f"eye.{name}": values for name, values in arrays(folder, "logic_eye").items()}
        | {f"crop.{name}": values for name, values in arrays(folder, "logic_crop").items()}
    )


def test_detector_input(golden: dict[str, np.ndarray]) -> None:
    blob, _ = scrfd.detector_input(video_frame())
    assert list(blob.shape) == golden["det.blob_shape"].tolist()
    grey_levels = largest_error(blob.reshape(-1)[::4099], golden["det.blob_sub"]) * 128
    assert grey_levels <= 4


def _detector_outputs() -> list[np.ndarray]:
    cells = {stride: (512 // stride) ** 2 * 2 for stride in scrfd.STRIDES}
    scores = [uniform(f"input:det:score:{s}", (n, 1)) ** 40 for s, n in cells.items()]
    boxes = [uniform32(f"input:det:box:{s}", (n, 4), 1, 7) for s, n in cells.items()]
    points = [normal32(f"input:det:kps:{s}", (n, 10), 0, 4) for s, n in cells.items()]
    return [score.astype(np.float32) for score in scores] + boxes + points


def test_detections(golden: dict[str, np.ndarray]) -> None:
    _, zoom = scrfd.detector_input(video_frame())
    found = scrfd.decode(_detector_outputs(), zoom)
    assert largest_error(found.boxes, golden["det.det"]) <= PIXELS
    assert largest_error(found.keypoints, golden["det.kps"]) <= PIXELS
    assert found.largest() == golden["det.best_index"]


def test_no_face_says_so() -> None:
    nothing = [np.zeros_like(output) for output in _detector_outputs()]
    with pytest.raises(FaceError, match="no face"):
        scrfd.decode(nothing, 1.0).largest()


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (1920, 1080, 3), (64, 64, 3), (7, 500, 3)])
def test_detector_input_keeps_the_aspect(shape: tuple[int, ...]) -> None:
    blob, zoom = scrfd.detector_input(np.full(shape, 255, np.uint8))
    lit = blob[0, 0] > 0
    assert lit.any(axis=1).sum() == pytest.approx(shape[0] * zoom, abs=1)
    assert lit.any(axis=0).sum() == pytest.approx(shape[1] * zoom, rel=0.15, abs=1)


def test_106_landmarks(golden: dict[str, np.ndarray]) -> None:
    transform = landmark106.box_transform(golden["lmk106.box"])
    assert largest_error(transform, golden["lmk106.M"]) <= PIXELS
    blob = landmark106.network_input(video_frame(), transform)
    assert list(blob.shape) == golden["lmk106.blob_shape"].tolist()
    assert largest_error(blob.reshape(-1)[::997], golden["lmk106.blob_sub"]) <= 4
    raw = uniform32("input:lmk106raw", (1, 212), -0.7, 1.4)
    assert largest_error(landmark106.decode(raw, transform), golden["lmk106.out"]) <= PIXELS


def test_203_landmarks(golden: dict[str, np.ndarray]) -> None:
    raw = uniform32("input:lmk203raw", (1, 406))
    points = landmark203.decode(raw, golden["crop.c0.track224.M_c2o"])
    assert largest_error(points, golden["crop.lmk203.out"]) <= PIXELS


def test_blaze_face(golden: dict[str, np.ndarray]) -> None:
    assert largest_error(blaze_face.anchors(), golden["blaze.anchors"][:, :2]) == 0
    raw = normal32("input:blaze:raw", (1, 896, 16), 0, 6)
    raw[..., 2:4] = uniform32("input:blaze:wh", (1, 896, 2), 20, 30)
    faces = blaze_face.decode(raw, normal32("input:blaze:score", (1, 896, 1), -3, 3))
    faces[:, :4] *= 128
    assert largest_error(faces, golden["blaze.boxes"]) <= PIXELS


def test_face_mesh(golden: dict[str, np.ndarray]) -> None:
    face = np.zeros(17, np.float32)
    face[:8] = [250, 140, 450, 400, 300, 200, 380, 190]
    region = face_mesh.mesh_region(face)
    got = np.array([*region.centre, region.side, region.side, region.angle])
    assert largest_error(got, golden["mesh.roi"]) <= PIXELS
    projected = face_mesh.project(uniform32("input:mesh:pts", (478, 3), 0, 256), region)
    assert largest_error(projected, golden["mesh.projected"]) <= PIXELS


def test_mesh_input_shows_what_is_projected() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[180:184, 250:254] = 255
    region = face_mesh.MeshRegion(np.array([210, 190], np.float32), 200.0, 0.4)
    lit = face_mesh.network_input(image, region)[0, ..., 0]
    rows, columns = np.nonzero(lit > 0.5)
    middle = np.array([[columns.mean(), rows.mean(), 0]], np.float32)
    np.testing.assert_allclose(face_mesh.project(middle, region)[0, :2], [251.5, 181.5], atol=0.5)


def test_eye_state(golden: dict[str, np.ndarray]) -> None:
    landmarks = uniform32("input:lmk478", (3, 478, 3))
    assert largest_error(eye_state.eye_open(landmarks), golden["eye.LR_open"]) <= 1e-5
    ball = eye_state.eye_ball(landmarks)
    assert largest_error(ball, golden["eye.LR_ball_move_flat"]) <= 1e-6


def test_other_landmarks_have_no_eye_state() -> None:
    with pytest.raises(InvalidInputError, match="landmarks"):
        eye_state.eye_open(np.zeros((1, 468, 3), np.float32))
