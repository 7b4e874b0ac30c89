"""Which pictures have a face to animate, and what is said about the others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ditto.errors import FaceError
from ditto.face.detect import Face
from ditto.face.select import find_portrait_face, main_face
from tests.face import example
from tests.face.example import Image


def find(image: Image) -> tuple[np.ndarray, tuple[str, ...]]:
    mesh, warnings = find_portrait_face(image, example.detector(), example.landmarker())
    return mesh.points, warnings


def resized(image: Image, zoom: float) -> Image:
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)


def test_one_face_is_found_where_it_is() -> None:
    points, warnings = find(example.astronaut())
    assert np.linalg.norm(points[4, :2] - [224, 116]) < 12  # the tip of the nose
    assert [w for w in warnings if "small face" in w]


def test_a_large_face_gets_no_warning() -> None:
    assert find(example.close_up())[1] == ()


@pytest.mark.parametrize("fill", [0, 128, 255])
def test_no_face_in_a_flat_picture(fill: int) -> None:
    with pytest.raises(FaceError, match="no face"):
        find(np.full((480, 640, 3), fill, np.uint8))


def test_no_face_in_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    with pytest.raises(FaceError, match="no face"):
        find(noise)


def test_two_like_faces_are_refused_with_their_number() -> None:
    with pytest.raises(FaceError, match="2 faces"):
        find(np.hstack([example.close_up(1.0)] * 2))


def test_three_like_faces_are_counted() -> None:
    with pytest.raises(FaceError, match="3 faces"):
        find(np.hstack([example.close_up(1.0)] * 3))


def test_a_small_bystander_is_ignored() -> None:
    scene = example.close_up(3.0)
    bystander = example.close_up(0.9)
    h, w = bystander.shape[:2]
    scene[-h:, :w] = bystander
    points, _ = find(scene)
    alone, _ = find(example.close_up(3.0))
    assert np.abs(points - alone)[:, :2].mean() < 3


def test_a_tiny_face_is_refused_with_its_size() -> None:
    canvas = np.full((512, 512, 3), 120, np.uint8)
    canvas[100:356, 100:356] = resized(example.astronaut(), 0.5)
    with pytest.raises(FaceError, match=r"5\d pixels high, at least 64"):
        find(canvas)


def test_a_small_face_in_a_large_picture_is_found() -> None:
    canvas = np.full((1400, 1920, 3), 120, np.uint8)
    canvas[40:552, 1300:1812] = example.astronaut()
    points, _ = find(canvas)
    assert np.linalg.norm(points[4, :2] - [1300 + 224, 40 + 116]) < 12


def test_rivals_are_judged_by_side() -> None:
    def face(side: float) -> Face:
        return Face(0.9, np.zeros(2, np.float32), side, side, np.zeros((6, 2), np.float32))

    assert main_face([face(100), face(59)]).side == 100
    with pytest.raises(FaceError, match="2 faces"):
        main_face([face(100), face(60)])
