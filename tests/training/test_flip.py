"""A mirrored picture gives the mirrored motion, and mirrored motion draws the mirrored picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ditto import packs
from ditto.face.detect import FaceDetector
from ditto.face.eye_state import eye_ball, eye_open
from ditto.face.landmarks import FaceLandmarker
from ditto.media.image import decode_portrait
from ditto.motion import layout
from ditto.packs.starter import coordinates, extract
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.identity import canonical_keypoints
from ditto.training import flip
from ditto.training.dataset import Clip
from ditto.training.evaluation.generate import NEUTRAL_FACE, to_coordinates
from ditto.training.windows import Windows

EXAMPLES = Path(__file__).parents[2] / "examples"
RNG = np.random.default_rng(0)
POSES: tuple[dict[str, float], ...] = (
    {},
    {"yaw": 8, "roll": 3, "tx": -0.04},
    {"yaw": -6, "lipGap": 0.6, "jawOpen": 0.5},
    {"eyeBlinkLeft": 0.9},
    {"eyeBlinkLeft": 0.9, "yaw": 4},
    {"gazeX": 1.0},
    {"gazeX": 1.0, "yaw": 7},
    {"pitch": 5, "roll": -4, "mouthSmile": 0.6},
)


def posed() -> np.ndarray:
    rows = np.zeros((len(POSES), coordinates.COUNT), np.float32)
    for row, amounts in zip(rows, POSES, strict=True):
        for name, amount in amounts.items():
            row[coordinates.index(name)] = amount
    return rows


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A face in several poses as the renderer draws it, and as it draws the mirrored portrait with
    mirrored motion: (N, H, W, 3) twice."""
    renderer = packs.load("starter").renderer()
    image = decode_portrait((EXAMPLES / "astronaut.jpg").read_bytes())
    drawn = []
    for portrait, rows in ((image, posed()), (image[:, ::-1], flip.mirror_coordinates(posed()))):
        prepared = renderer.prepare(np.ascontiguousarray(portrait))
        frames = coordinates.lift(rows, prepared.identity.reference_motion)
        drawn.append([renderer.render_head(prepared.appearance, frame) for frame in frames])
    return np.array(drawn[0]), np.array(drawn[1])


@pytest.fixture(scope="module")
def meshes(pictures: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Face meshes (N, 478, 3) of the pictures and of the pictures mirrored."""
    task = packs.load("starter").asset("face_landmarker")
    detector, landmarker = FaceDetector(task), FaceLandmarker(task)
    found = [
        [landmarker(image, detector(image)[0]).points for image in images]
        for images in (pictures[0], np.ascontiguousarray(pictures[0][:, :, ::-1]))
    ]
    return np.array(found[0]), np.array(found[1])


def test_motion_of_the_mirrored_picture_is_the_mirrored_motion(
    meshes: tuple[np.ndarray, np.ndarray],
) -> None:
    """Up to what the landmark network sees differently in a mirror: 2 degrees, 0.02 of the crop,
    0.2 of a control's range at most and 0.04 on average."""
    straight, mirrored = (to_coordinates(extract.motion_of(points)) for points in meshes)
    expected = flip.mirror_coordinates(straight)
    error = np.abs(mirrored - expected)
    angles = [coordinates.index(name) for name in ("pitch", "yaw", "roll")]
    controls = slice(0, len(coordinates.CONTROLS))
    assert error[:, angles].max() < 2
    assert error[:, [coordinates.index(n) for n in ("tx", "ty", "scale")]].max() < 0.02
    assert error[:, controls].max() < 0.2
    assert error[:, controls].mean() < 0.04
    for name in ("yaw", "roll", "gazeX", "tx", "eyeBlinkLeft"):  # unmirrored, these are far off
        column = coordinates.index(name)
        assert np.abs(mirrored - straight)[:, column].max() > 2 * error[:, column].max(), name


def test_frames_mirror_as_their_coordinates_do(meshes: tuple[np.ndarray, np.ndarray]) -> None:
    frames = extract.motion_of(meshes[0])
    mirrored = flip.mirror_frames(frames)
    np.testing.assert_allclose(
        to_coordinates(mirrored), flip.mirror_coordinates(to_coordinates(frames)), atol=2e-3
    )
    np.testing.assert_allclose(flip.mirror_frames(mirrored), frames, atol=2e-3)
    assert np.abs(mirrored[:, layout.YAW] - frames[:, layout.YAW]).max() > 1


def test_eyes_of_the_mirrored_picture(meshes: tuple[np.ndarray, np.ndarray]) -> None:
    """Lid heights within 0.2 of the eye's width, eye-balls within 0.01 of the picture's."""
    straight, mirrored = (
        np.concatenate([eye_open(points), eye_ball(points) / 512], 1) for points in meshes
    )
    expected = flip.mirror_eyes(straight)
    error = np.abs(mirrored - expected).max(0)
    assert (error[:2] < 0.2).all()
    assert (error[2:] < 0.01).all()
    assert np.abs(mirrored - straight).max(0)[[0, 2, 3]].min() > 2 * error[2:].max()
    assert np.abs(mirrored - straight)[:, 0].max() > 2 * error[0]
    np.testing.assert_array_equal(flip.mirror_eyes(expected), straight)


def test_keypoints_of_the_mirrored_picture(meshes: tuple[np.ndarray, np.ndarray]) -> None:
    """Within 0.02 of faces that span 0.4."""
    straight, mirrored = (
        np.array([canonical_keypoints(FaceGeometry(mesh)) for mesh in points]) for points in meshes
    )
    expected = flip.mirror_keypoints(straight)
    assert np.abs(mirrored - expected).max() < 0.02
    unswapped = straight.reshape(-1, 21, 3) * [-1, 1, 1]
    assert np.abs(mirrored.reshape(-1, 21, 3) - unswapped).max() > 0.2
    np.testing.assert_array_equal(flip.mirror_keypoints(expected), straight)


def test_mirrored_motion_draws_the_mirrored_picture(
    pictures: tuple[np.ndarray, np.ndarray],
) -> None:
    """Beside a shift of up to 2 pixels, which mirrored landmarks place the head by: 26 dB."""
    straight, mirrored = (images[:, 96:416, 96:416].astype(float) for images in pictures)
    error = _least_error(mirrored, straight[:, :, ::-1])
    assert (10 * np.log10(255**2 / error) > 26).all()
    assert (_least_error(mirrored, straight) > 4 * error).all()


def _least_error(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N,) mean squared errors at the shift that suits each pair of pictures best."""
    shifts = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
    inner = (slice(None), slice(2, -2), slice(2, -2))
    errors = [
        ((np.roll(first, shift, (1, 2)) - second)[inner] ** 2).mean((1, 2, 3)) for shift in shifts
    ]
    return np.asarray(np.min(errors, axis=0))


def test_a_mirror_is_an_involution_on_every_coordinate() -> None:
    rows = RNG.normal(size=(5, coordinates.COUNT)).astype(np.float32)
    np.testing.assert_array_equal(flip.mirror_coordinates(flip.mirror_coordinates(rows)), rows)
    frames = coordinates.lift((np.abs(rows) / 3).astype(np.float32), NEUTRAL_FACE.reference_motion)
    np.testing.assert_allclose(flip.mirror_frames(flip.mirror_frames(frames)), frames, atol=3e-3)


def test_windows_mirror_motion_steering_eyes_and_keypoints_together(clip: Clip) -> None:
    keypoints = np.broadcast_to(RNG.normal(size=63).astype(np.float32), (3, len(clip.audio), 63))
    known = Clip(**{**vars(clip), "emotion": 4, "keypoints": keypoints})
    plain = Windows([known], 40, 5).draw(1, np.random.default_rng(5))
    for seed in range(5, 40):
        both = Windows([known], 40, 5, flip=True).draw(1, np.random.default_rng(seed))
        plain = Windows([known], 40, 5).draw(1, np.random.default_rng(seed))
        np.testing.assert_array_equal(both.audio, plain.audio)
        if not np.array_equal(both.motion, plain.motion):
            break
    else:
        pytest.fail("no window was mirrored")
    np.testing.assert_array_equal(both.motion, flip.mirror_coordinates(plain.motion))
    np.testing.assert_array_equal(both.steer, flip.mirror_coordinates(plain.steer))
    np.testing.assert_array_equal(both.enhanced[..., :8], flip.mirror_eyes(plain.enhanced[..., :8]))
    np.testing.assert_allclose(
        both.enhanced[..., 8:71], flip.mirror_keypoints(plain.enhanced[..., 8:71])
    )
