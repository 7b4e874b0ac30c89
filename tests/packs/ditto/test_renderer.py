"""The picture stage with tiny networks: registration, views, the cache's bytes."""

from __future__ import annotations

import numpy as np
import pytest

from ditto.errors import CorruptDataError, FaceError
from ditto.packs.ditto.appearance import Appearance, dump_arrays
from ditto.packs.ditto.renderer import DittoRenderer
from ditto.serving.footprint import array_bytes
from ditto.stages import BatchedRenderer, ExtractsMotion, Image, Portrait


@pytest.fixture(scope="module")
def registered(renderer: DittoRenderer, portrait: Image) -> Portrait[Appearance]:
    return renderer.prepare(portrait)


@pytest.fixture(scope="module")
def moved(registered: Portrait[Appearance]) -> np.ndarray:
    change = np.random.default_rng(1).normal(0, 0.1, 265)
    return (registered.identity.reference_motion + change).astype(np.float32)


def test_a_portrait_gives_its_identity(registered: Portrait[Appearance]) -> None:
    identity = registered.identity
    assert identity.canonical_keypoints.shape == (63,)
    assert identity.reference_motion.shape == (265,)
    assert identity.eye_state.shape == (8,)
    assert (identity.eye_state[:2] > 0.2).all()
    assert registered.warnings


def test_head_and_full_views(
    renderer: DittoRenderer,
    registered: Portrait[Appearance],
    moved: np.ndarray,
    portrait: Image,
) -> None:
    head = renderer.render_head(registered.appearance, moved)
    assert head.shape == (renderer.head_size, renderer.head_size, 3) == (512, 512, 3)
    assert head.dtype == np.uint8
    full = renderer.paste_back(registered.appearance, head)
    assert renderer.full_size(registered.appearance) == (full.shape[1], full.shape[0])
    assert full.shape == portrait.shape
    changed = (full != portrait).any(axis=2)
    assert 0.05 < changed.mean() < 0.95


def test_motion_moves_the_picture(
    renderer: DittoRenderer, registered: Portrait[Appearance], moved: np.ndarray
) -> None:
    rest = renderer.render_head(registered.appearance, registered.identity.reference_motion)
    again = renderer.render_head(registered.appearance, registered.identity.reference_motion)
    other = renderer.render_head(registered.appearance, moved)
    assert np.array_equal(rest, again)
    assert (rest != other).any()


def test_a_stored_portrait_renders_the_same_frames(
    renderer: DittoRenderer, registered: Portrait[Appearance], moved: np.ndarray
) -> None:
    stored = renderer.load_appearance(renderer.dump_appearance(registered))
    assert stored.warnings == registered.warnings
    for field in ("canonical_keypoints", "reference_motion", "eye_state"):
        assert np.array_equal(getattr(stored.identity, field), getattr(registered.identity, field))
    heads = [renderer.render_head(p.appearance, moved) for p in (stored, registered)]
    assert np.array_equal(*heads)


def test_the_cache_can_count_what_a_portrait_holds(registered: Portrait[Appearance]) -> None:
    volume = registered.appearance.arrays["volume"].nbytes
    assert array_bytes(registered) > volume + registered.appearance.image.nbytes


def test_damaged_bytes_are_refused(
    renderer: DittoRenderer, registered: Portrait[Appearance]
) -> None:
    data = bytearray(renderer.dump_appearance(registered))
    for broken in (b"", data[:-200], data[: len(data) // 2] + b"x" + data[len(data) // 2 + 1 :]):
        with pytest.raises(CorruptDataError):
            renderer.load_appearance(bytes(broken))
    wrong = dict(registered.appearance.arrays)
    wrong["motion"] = wrong["motion"][:-1]
    with pytest.raises(CorruptDataError):
        renderer.load_appearance(dump_arrays(wrong))
    del wrong["volume"]
    with pytest.raises(CorruptDataError):
        renderer.load_appearance(dump_arrays(wrong))


def test_no_face_is_said(renderer: DittoRenderer) -> None:
    with pytest.raises(FaceError, match="no face"):
        renderer.prepare(np.zeros((300, 300, 3), np.uint8))


def test_frames_of_calls_together_are_their_frames_alone(
    renderer: DittoRenderer, registered: Portrait[Appearance], moved: np.ndarray, portrait: Image
) -> None:
    other = renderer.prepare(np.ascontiguousarray(portrait[:, ::-1]))
    appearances = [registered.appearance, other.appearance, registered.appearance]
    motions = [moved, other.identity.reference_motion, registered.identity.reference_motion]
    together = renderer.render_heads(appearances, motions)
    assert isinstance(renderer, BatchedRenderer)
    for got, appearance, motion in zip(together, appearances, motions, strict=True):
        error = got.astype(float) - renderer.render_head(appearance, motion)
        assert (error**2).mean() <= 255**2 * 1e-5  # 50 dB
    assert (together[0] != together[2]).any()


def test_motion_is_read_from_the_pictures_of_a_video(
    renderer: DittoRenderer, registered: Portrait[Appearance], portrait: Image
) -> None:
    assert isinstance(renderer, ExtractsMotion)
    moved = np.roll(portrait, 8, axis=1)
    track = renderer.extract_motion([portrait, portrait, moved])
    assert track.shape == (3, 265)
    assert np.array_equal(track[0], track[1])
    assert np.abs(track[2] - track[0]).max() > 1e-4  # cut where the first one was
    assert np.allclose(track[0], registered.identity.reference_motion, atol=0.05)
    with pytest.raises(FaceError):
        renderer.extract_motion([np.full((200, 200, 3), 80, np.uint8)])
