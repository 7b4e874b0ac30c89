"""The eyes stay on the camera while the head turns: irises measured on rendered frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ditto import packs
from ditto.motion import controls, gaze
from ditto.motion.motion_control import MotionControl
from ditto.motion.track import load_track
from ditto.packs.starter.renderer import StarterRenderer
from tests.face import example
from tests.packs.starter.renderer.driving import Registered

EYES = ((33, 133, 468), (362, 263, 473))
"""Corners on the image's left and right, and the iris."""
EYE_IN_HEAD = 0.14
"""Way of the iris for 10 degrees, over the eye's half-width."""
ZOOM = 6
"""Steps a pixel in which the iris is looked for."""


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    return gaze.fit(load_track(packs.load("starter").weights("gaze_template.npz")))


def iris(
    renderer: StarterRenderer,
    portrait: Registered,
    control: MotionControl,
    matrix: np.ndarray | None,
) -> np.ndarray:
    """(2,) mean place of the irises between the corners: across and down, in half-widths."""
    reference = portrait.identity.reference_motion
    state = controls.init_state(control)
    _, frames = controls.apply(state, 0, reference[None], reference, matrix)
    mesh = example.mesh_of(renderer.render_head(portrait.appearance, frames[0]))[:, :2]
    places = []
    for left, right, centre in EYES:
        half = (mesh[right] - mesh[left]) / 2
        width = np.linalg.norm(half)
        axis = half / width
        offset = mesh[centre] - (mesh[left] + mesh[right]) / 2
        places.append([offset @ axis / width, offset @ [-axis[1], axis[0]] / width])
    return np.mean(places, axis=0)


def turned(
    renderer: StarterRenderer, portrait: Registered, degrees: float, matrix: np.ndarray | None
) -> np.ndarray:
    """A frame with the head turned sideways, with K or without."""
    reference = portrait.identity.reference_motion
    state = controls.init_state(MotionControl(yaw_offset_degrees=degrees))
    _, frames = controls.apply(state, 0, reference[None], reference, matrix)
    return renderer.render_head(portrait.appearance, frames[0])


def enlarged(image: np.ndarray, centre: np.ndarray, reach: float) -> np.ndarray:
    """Grey cut of ``reach`` pixels to each side of a point, finer by `ZOOM`."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    shift = -ZOOM * (centre - [reach, 0.8 * reach])
    place = np.array([[ZOOM, 0, shift[0]], [0, ZOOM, shift[1]]], np.float32)
    size = (round(2 * reach * ZOOM), round(1.6 * reach * ZOOM))
    return cv2.warpAffine(grey, place, size, flags=cv2.INTER_CUBIC)


def iris_shift(before: np.ndarray, after: np.ndarray) -> float:
    """Way of the irises' pixels across the eyes, over the eyes' half-widths: the iris of one frame
    is looked for in the other. (A face mesh follows drawn irises by two thirds of their way.)"""
    mesh = example.mesh_of(before)[:, :2]
    ways = []
    for left, right, centre in EYES:
        half = np.linalg.norm(mesh[right] - mesh[left]) / 2
        iris = enlarged(before, mesh[centre], 0.36 * half)
        around = enlarged(after, mesh[centre], 0.8 * half)
        *_, place = cv2.minMaxLoc(cv2.matchTemplate(around, iris, cv2.TM_CCOEFF_NORMED))
        ways.append((place[0] - (around.shape[1] - iris.shape[1]) / 2) / ZOOM / half)
    return float(np.mean(ways))


@pytest.mark.parametrize("degrees", [-10.0, 10.0])
def test_the_eye_turns_back_by_the_head_s_turn(
    renderer: StarterRenderer, portrait: Registered, matrix: np.ndarray, degrees: float
) -> None:
    without, held = (turned(renderer, portrait, degrees, each) for each in (None, matrix))
    assert iris_shift(without, held) == pytest.approx(-np.sign(degrees) * EYE_IN_HEAD, abs=0.025)
    assert abs(iris_shift(without, turned(renderer, portrait, degrees, 0 * matrix))) < 0.01


@pytest.mark.parametrize("degrees", [-10.0, 10.0])
def test_the_iris_turns_against_the_head(
    renderer: StarterRenderer, portrait: Registered, matrix: np.ndarray, degrees: float
) -> None:
    control = MotionControl(yaw_offset_degrees=degrees)
    bound = iris(renderer, portrait, control, None)[0]
    held = iris(renderer, portrait, control, matrix)[0]
    at_rest = iris(renderer, portrait, MotionControl(), None)[0]
    assert abs(bound - at_rest) < 0.04  # without: the gaze is bound to the head
    turned_back = (held - bound) * -np.sign(degrees)
    assert 0.5 * EYE_IN_HEAD < turned_back < 1.3 * EYE_IN_HEAD


def test_a_nod_lifts_the_irises(
    renderer: StarterRenderer, portrait: Registered, matrix: np.ndarray
) -> None:
    down, up = (
        iris(renderer, portrait, MotionControl(pitch_offset_degrees=degrees), matrix)[1]
        - iris(renderer, portrait, MotionControl(pitch_offset_degrees=degrees), None)[1]
        for degrees in (10.0, -10.0)
    )
    assert down < -0.015
    assert up > 0.015


def test_a_gaze_target_moves_the_irises_its_way(
    renderer: StarterRenderer, portrait: Registered, matrix: np.ndarray
) -> None:
    places = [
        iris(renderer, portrait, MotionControl(gaze_yaw_degrees=at, gaze_weight=1), matrix)[0]
        for at in (-20.0, -10.0, 0.0, 10.0, 20.0)
    ]
    assert np.all(np.diff(places) > 0.04)
    assert places[-1] - places[0] > 0.3
