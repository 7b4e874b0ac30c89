"""Paste-back: nothing outside the box, no seam at its border."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ditto.face.crop import crop_image, levelled
from ditto.face.paste import paste, paste_into, plan_paste

SIZE = 512
MOVING = (28.0, 28.0, 484.0, 484.0)


def similarity(zoom: float, degrees: float, centre: tuple[float, float]) -> np.ndarray:
    """HEAD crop of a point of a portrait."""
    a = np.radians(degrees)
    linear = zoom * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return np.c_[linear, SIZE / 2 - linear @ centre].astype(np.float32)


def smooth_picture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("zoom", [0.4, 0.8, 1.3, 2.4])
@pytest.mark.parametrize("degrees", [0.0, -17.0])
def test_a_view_pasted_back_unchanged_leaves_the_portrait(zoom: float, degrees: float) -> None:
    portrait = smooth_picture(1024, 1024)
    crop = similarity(zoom, degrees, (500, 480))
    head = crop_image(portrait, crop, SIZE)
    full = paste(portrait, head, plan_paste(crop, SIZE, MOVING, portrait.shape[:2]))
    error = np.abs(full.astype(int) - portrait)
    assert full.shape == portrait.shape
    assert error.mean() < 1.5
    assert np.percentile(error, 99.9) < 20


@pytest.mark.parametrize("degrees", [0.0, 12.0])
def test_nothing_changes_outside_the_box_nor_at_the_views_border(degrees: float) -> None:
    portrait = smooth_picture(900, 1200)
    crop = similarity(0.9, degrees, (600, 400))
    region = plan_paste(crop, SIZE, MOVING, portrait.shape[:2])
    white = np.full((SIZE, SIZE, 3), 255, np.uint8)
    full = paste(portrait, white, region)
    changed = (full != portrait).any(-1)
    x0, y0, x1, y1 = region.box
    outside = np.ones(changed.shape, bool)
    outside[y0:y1, x0:x1] = False
    assert not changed[outside].any()
    assert (full[400, 600] == 255).all()
    steps = np.abs(np.diff((full.astype(int) - portrait).mean(-1), axis=1))
    assert steps.max() < 40  # the ramp of a view that fits nowhere is 14 pixels wide


def test_the_given_portrait_is_left_alone() -> None:
    portrait = smooth_picture(600, 600)
    kept = portrait.copy()
    crop = similarity(1.0, 0.0, (300, 300))
    paste(portrait, np.zeros((SIZE, SIZE, 3), np.uint8), plan_paste(crop, SIZE, MOVING, (600, 600)))
    np.testing.assert_array_equal(portrait, kept)


def test_a_view_that_leaves_the_portrait_is_blended_inside_it_only() -> None:
    crop = similarity(1.0, 0.0, (300, 200))  # 56 pixels of the view lie above the picture
    region = plan_paste(crop, SIZE, MOVING, (600, 600))
    assert region.box[1] == 0
    assert region.mask[0, region.mask.shape[1] // 2] == 1
    assert region.mask[-1].max() == 0


@pytest.mark.parametrize("zoom", [0.4, 0.7, 1.1, 2.4])
def test_a_head_that_hardly_tilts_is_pasted_by_a_resize_just_as_by_a_warp(zoom: float) -> None:
    portrait = smooth_picture(1024, 1024)
    tilted = similarity(zoom, 2.0, (500.3, 480.6))
    crop = levelled(tilted, SIZE)
    assert np.abs(crop @ [500.3, 480.6, 1] - SIZE / 2).max() < 2  # where it was, to a pixel
    assert crop[0, 0] == pytest.approx(zoom, rel=0.01)
    region = plan_paste(crop, SIZE, MOVING, portrait.shape[:2])
    assert region.square is not None
    head = crop_image(portrait, crop, SIZE)[:, ::-1]
    resized, warped = (
        paste(portrait, head, r).astype(int) for r in (region, replace(region, square=None))
    )
    assert np.abs(resized - warped).max() <= 2


def test_a_head_that_tilts_comes_out_upright_and_is_warped_back() -> None:
    tilted = similarity(0.9, 8.0, (300, 300))
    np.testing.assert_array_equal(levelled(tilted, SIZE), tilted)
    assert plan_paste(tilted, SIZE, MOVING, (600, 600)).square is None


@pytest.mark.parametrize("degrees", [0.0, 8.0])
def test_a_picture_is_repainted_to_what_a_new_one_shows(degrees: float) -> None:
    portrait = smooth_picture(700, 700)
    crop = levelled(similarity(0.9, degrees, (350, 350)), SIZE)
    region = plan_paste(crop, SIZE, MOVING, portrait.shape[:2])
    head = crop_image(portrait, crop, SIZE)
    picture = paste(portrait, 255 - head, region)
    paste_into(picture, portrait, head, region)
    np.testing.assert_array_equal(picture, paste(portrait, head, region))
