"""The released crops against the golden file: matrices in pixels, images in grey levels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ditto.errors import FaceError, InvalidInputError
from ditto.face.reference_crop import (
    PORTRAIT_CROP,
    TRACKING_CROP,
    CropOptions,
    crop_image,
    crop_transform,
    extractor_input,
    face_axis,
    face_square,
    transform_points,
)
from tests.golden.logic import arrays, folders, largest_error
from tests.golden.logic_inputs import video_frame

PIXELS = 1e-3
GREY_LEVELS, MEAN_GREY_LEVELS = 4, 0.5
PRESETS = {
    "track224": TRACKING_CROP,
    "portrait512": PORTRAIT_CROP,
    "portrait512_norot": replace(PORTRAIT_CROP, rotate=False),
    "portrait512_vx": PORTRAIT_CROP,
    "scale1.8_vy-0.05": CropOptions(512, 1.8, shift_y=-0.05),
}


@pytest.fixture(params=folders())
def golden(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    folder: Path = request.param
    return arrays(folder, "logic_crop")


def _assert_close_image(got: np.ndarray, expected: np.ndarray) -> None:
    difference = np.abs(got.astype(int) - expected.astype(int))
    assert difference.max() <= GREY_LEVELS
    assert difference.mean() < MEAN_GREY_LEVELS


@pytest.mark.parametrize("face", range(5))
def test_matrices(golden: dict[str, np.ndarray], face: int) -> None:
    points = golden[f"pts{face}"]
    assert largest_error(face_axis(points), golden[f"c{face}.pt2"]) <= PIXELS
    for name, options in PRESETS.items():
        transform = crop_transform(points, options)
        assert largest_error(transform.to_crop, golden[f"c{face}.{name}.M_o2c"]) <= PIXELS
        assert largest_error(transform.to_image, golden[f"c{face}.{name}.M_c2o"]) <= PIXELS
    moved = transform_points(points, transform.to_crop)
    assert largest_error(moved, golden[f"c{face}.{name}.pt_crop"]) <= PIXELS


@pytest.mark.parametrize("face", range(5))
def test_square(golden: dict[str, np.ndarray], face: int) -> None:
    square = face_square(golden[f"pts{face}"], PORTRAIT_CROP)
    got = np.array([*square.centre, square.side, square.side, square.angle])
    assert largest_error(got, golden[f"c{face}.rect"]) <= PIXELS


@pytest.mark.parametrize("face", [0, 1])
def test_images(golden: dict[str, np.ndarray], face: int) -> None:
    for name in ("track224", "portrait512"):
        options = PRESETS[name]
        transform = crop_transform(golden[f"pts{face}"], options)
        crop = crop_image(video_frame(), transform, options.size)
        _assert_close_image(crop.reshape(-1, 3)[::97], golden[f"c{face}.{name}.img_sub"])
        assert crop.mean() == pytest.approx(golden[f"c{face}.{name}.img_mean"], abs=0.05)
    small = np.rint(extractor_input(crop)[0].transpose(1, 2, 0) * 255)
    _assert_close_image(small.reshape(-1, 3)[::53], golden[f"c{face}.rgb256_sub"])


def test_a_sideways_shift_moves_the_crop(golden: dict[str, Any]) -> None:
    points = golden["pts1"]
    straight = face_square(points, PORTRAIT_CROP)
    shifted = face_square(points, replace(PORTRAIT_CROP, shift_x=0.1))
    moved = np.linalg.norm(shifted.centre - straight.centre)
    assert moved == pytest.approx(0.1 * straight.side, rel=1e-4)


def test_unusable_landmarks_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="68 landmarks"):
        crop_transform(np.zeros((68, 2), np.float32), PORTRAIT_CROP)
    with pytest.raises(FaceError):
        crop_transform(np.ones((203, 2), np.float32), PORTRAIT_CROP)
