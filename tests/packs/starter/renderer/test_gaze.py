"""The eyes stay on the camera while the head turns: irises measured on rendered frames."""

from __future__ import annotations

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
