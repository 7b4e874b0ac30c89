"""The short ways of drawing against the plain ones, and what a frame may cost in counts."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from ditto.face.sampling import blend, sample
from ditto.packs.starter.renderer import StarterRenderer, eyelids, head_layer
from ditto.packs.starter.renderer.appearance import decode_jpeg, with_opacity
from ditto.packs.starter.renderer.grid import nodes_to_pixels
from ditto.packs.starter.renderer.head_layer import HeadLayer
from ditto.packs.starter.renderer.texture import TEXTURE_SIZE, sample_rgba, texture_places
from ditto.packs.starter.renderer.warp import window_pixels
from tests.packs.starter.renderer.driving import Registered, motion

MB = 2**20


@pytest.fixture(scope="module")
def texture(portrait: Registered) -> np.ndarray:
    """(2S, 2S, 4) the picture and the head's opacity."""
    stored = portrait.appearance.arrays
    picture = decode_jpeg(stored["texture"], (TEXTURE_SIZE, TEXTURE_SIZE))
    return with_opacity(picture, cv2.resize(stored["matte"], (TEXTURE_SIZE, TEXTURE_SIZE)))


def swirl(portrait: Registered, size_nodes: float) -> np.ndarray:
    """Places that shift, shear and wave."""
    window = portrait.appearance.lattice.window
    x0, y0, x1, y1 = window
    y, x = np.mgrid[y0:y1, x0:x1]
    steps = size_nodes * np.stack([np.sin(y / 9) + 0.4, np.cos(x / 11) - 0.3], axis=-1)
    return texture_places(steps.astype(np.float32), window)


def peak_signal(found: np.ndarray, wanted: np.ndarray) -> float:
    """dB; 99 for equal pictures."""
    error = float(((found.astype(float) - wanted) ** 2).mean())
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("size_nodes", [0.0, 1.5, 6.0])
def test_the_head_is_blended_as_by_the_plain_formula(
    portrait: Registered, texture: np.ndarray, size_nodes: float
) -> None:
    appearance = portrait.appearance
    x0, y0, x1, y1 = window_pixels(appearance.lattice.window)
    behind = np.random.default_rng(0).integers(0, 256, (y1 - y0, x1 - x0, 3), np.uint8)
    layer = HeadLayer(texture, appearance.still, behind, appearance.lattice.window)
    nodes = swirl(portrait, size_nodes)
    drawing = layer.draw(nodes)
    colour, opacity = sample_rgba(texture, nodes_to_pixels(nodes))
    wanted = appearance.still.copy()
    wanted[y0:y1, x0:x1] = blend(behind, colour, opacity)
    assert peak_signal(drawing.frame, wanted) > 50
    assert np.abs(drawing.frame.astype(int) - wanted).max() <= 3


@pytest.mark.parametrize("size_nodes", [0.0, 1.5, 6.0])
def test_a_patch_is_laid_where_the_texture_it_replaces_would_show(
    portrait: Registered, texture: np.ndarray, size_nodes: float
) -> None:
    layer = portrait.appearance.head
    nodes = swirl(portrait, size_nodes)
    (x, y), size = portrait.appearance.eyes[0].corner, 90
    patch = np.ascontiguousarray(255 - texture[y : y + size, x : x + size, :3])
    drawing = layer.draw(nodes)
    before = drawing.head.copy()
    drawing.lay(patch, (x, y))
    places = nodes_to_pixels(nodes) - np.float32([x, y])
    inside = ((places >= 0) & (places <= size - 1)).all(-1)
    beyond = ((places < -1) | (places > size)).any(-1)
    assert inside.sum() > 1000
    np.testing.assert_array_equal(drawing.head[inside], sample(patch, places)[inside])
    np.testing.assert_array_equal(drawing.head[beyond], before[beyond])


def test_a_patch_out_of_sight_is_not_drawn(portrait: Registered) -> None:
    drawing = portrait.appearance.head.draw(swirl(portrait, 0.0) * 0 + 500)
    before = drawing.head.copy()
    drawing.lay(np.full((20, 20, 3), 9, np.uint8), (800, 800))
    drawing.darken(np.full((20, 20), 255, np.uint8), (800, 800), 1.0)
    np.testing.assert_array_equal(drawing.head, before)


@pytest.mark.parametrize("closure", [0.2, 0.5, 0.9])
def test_a_lid_falls_in_steps_too_small_to_see(
    renderer: StarterRenderer, portrait: Registered, closure: float
) -> None:
    def eyes(amount: float) -> np.ndarray:
        frame = motion(portrait, eyeBlinkLeft=amount, eyeBlinkRight=amount)
        return renderer.render_head(portrait.appearance, frame)

    steps = [eyes(closure + k / 256) for k in range(9)]
    changes = [peak_signal(a, b) for a, b in itertools.pairwise(steps)]
    assert min(changes) > 42
    assert peak_signal(steps[0], steps[-1]) < 60  # it does fall


def test_lids_are_painted_once_for_each_closure(
    renderer: StarterRenderer, portrait: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[float] = []
    lowered = eyelids.Eyelids.lowered

    def counted(self: Any, closure: float) -> Any:
        painted.append(closure)
        return lowered(self, closure)

    monkeypatch.setattr(eyelids.Eyelids, "lowered", counted)
    fresh = renderer.load_appearance(renderer.dump_appearance(portrait)).appearance
    for gaze in (0.0, 0.2, 0.4):
        for blink in (0.31, 0.62, 1.0):
            frame = motion(portrait, eyeBlinkLeft=blink, eyeBlinkRight=blink, gazeX=gaze)
            renderer.render_head(fresh, frame)
    assert len(painted) == 2 * len(set(painted)) == 6


def test_a_frame_samples_the_head_once_and_only_there(
    renderer: StarterRenderer, portrait: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled: list[int] = []

    def counted(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
        sampled.append(places.shape[0] * places.shape[1])
        return sample(picture, places)

    monkeypatch.setattr(head_layer, "sample", counted)
    renderer.render_head(portrait.appearance, motion(portrait, (2, 4, 1), lipGap=0.4, jawOpen=0.4))
    x0, y0, x1, y1 = window_pixels(portrait.appearance.lattice.window)
    assert sum(sampled) < 0.95 * (x1 - x0) * (y1 - y0)


def peak_bytes(function: Callable[[], object]) -> int:
    """Most memory that a call held at once."""
    function()  # what is kept is kept
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_frame_copies_no_texture(renderer: StarterRenderer, portrait: Registered) -> None:
    frame = motion(portrait, (2, 4, 1), lipGap=0.5, eyeBlinkLeft=0.5, eyeBlinkRight=0.5, gazeX=0.3)
    peak = peak_bytes(lambda: renderer.render_head(portrait.appearance, frame))
    assert peak < 3.5 * MB  # the frame alone is 0.75; the texture is 4


def test_repainting_a_full_view_allocates_no_second_one(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    appearance = portrait.appearance
    head = renderer.render_head(appearance, motion(portrait, (2, 4, 1)))
    picture = renderer.paste_back(appearance, head)
    wanted = picture.copy()
    new = peak_bytes(lambda: renderer.paste_back(appearance, head))
    again = peak_bytes(lambda: renderer.repaint_full(appearance, head, picture))
    assert again <= new - picture.nbytes
    np.testing.assert_array_equal(picture, wanted)
