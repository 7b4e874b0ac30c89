"""Head axes, angles and the HEAD crop, measured on turned copies of one picture."""

from __future__ import annotations

import cv2
import numpy as np

from ditto.face.crop import crop_image, head_crop, inverse, transform_points
from ditto.face.head import measure_head
from tests.face import example

SIZE = 512


def turned(degrees: float) -> np.ndarray:
    """The close-up rotated clockwise on the screen."""
    image = example.close_up()
    h, w = image.shape[:2]
    move = cv2.getRotationMatrix2D((w / 2, h / 2), -degrees, 1)
    return cv2.warpAffine(image, move, (w, h), borderMode=cv2.BORDER_REPLICATE)


def test_roll_follows_the_picture() -> None:
    rolls = [measure_head(example.mesh_of(turned(d))).angles_degrees()[2] for d in (-15, 0, 15)]
    np.testing.assert_allclose(np.diff(rolls), 15, atol=2)


def test_a_mirrored_face_has_mirrored_yaw_and_roll() -> None:
    image = turned(6)
    own = measure_head(example.mesh_of(image)).angles_degrees()
    mirrored = measure_head(example.mesh_of(image[:, ::-1].copy())).angles_degrees()
    np.testing.assert_allclose(mirrored, np.array(own) * [1, -1, -1], atol=2.5)


def test_axes_are_a_rotation_and_head_coordinates_keep_lengths() -> None:
    points = example.mesh_of(example.close_up())
    head = measure_head(points)
    np.testing.assert_allclose(head.axes.T @ head.axes, np.eye(3), atol=1e-5)
    inside = head.to_head_mm(points)
    want = np.linalg.norm(points[10] - points[152]) / head.pixels_per_mm
    assert abs(np.linalg.norm(inside[10] - inside[152]) - want) < 1e-2
    assert inside[4, 2] < inside[234, 2]  # the nose lies in front of the ears


def test_the_crop_stands_upright() -> None:
    for degrees in (-20.0, 0.0, 20.0):
        points = example.mesh_of(turned(degrees))
        placed = transform_points(head_crop(points, SIZE), points)
        eyes, mouth = placed[[33, 263], :2].mean(0), placed[[61, 291], :2].mean(0)
        slope = np.degrees(np.arctan2(*(mouth - eyes)))
        assert abs(slope) < 3
        assert np.all((placed[:468, :2] > 0) & (placed[:468, :2] < SIZE))


def test_the_crop_shows_what_the_points_say() -> None:
    image = example.close_up()
    points = example.mesh_of(image)
    crop = head_crop(points, SIZE)
    found = example.mesh_of(crop_image(image, crop, SIZE))
    error = np.linalg.norm(found[:468, :2] - transform_points(crop, points)[:468, :2], axis=1)
    assert np.median(error) < 2.5


def test_the_inverse_leads_back() -> None:
    points = example.mesh_of(example.close_up())
    crop = head_crop(points, SIZE)
    back = transform_points(inverse(crop), transform_points(crop, points))
    np.testing.assert_allclose(back, points, atol=1e-2)
