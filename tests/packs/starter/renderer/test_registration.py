"""What registration measures, warns about, stores and refuses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ditto.errors import CorruptDataError, FaceError
from ditto.motion import layout, semantics
from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.archive import dump_arrays, load_arrays
from tests.face import example
from tests.packs.starter.renderer.driving import Registered, at_rest, motion


def test_the_identity_is_measured(portrait: Registered) -> None:
    identity = portrait.identity
    keypoints = identity.canonical_keypoints.reshape(21, 3)
    assert np.abs(keypoints).max() < 0.35
    assert np.abs(keypoints[:, :2]).max() > 0.12
    assert keypoints[11, 0] < keypoints[15, 0]  # right eye, left eye
    assert keypoints[[1, 2], 1].max() < keypoints[[11, 15], 1].min() < keypoints[19, 1]
    reference = layout.unpack(identity.reference_motion[None])
    assert np.abs([reference.pitch, reference.yaw, reference.roll]).max() < 12
    controls = semantics.decode(reference.exp[0])
    assert 0.5 < controls[semantics.control_index("lipGap")] < 1  # she smiles with teeth
    assert identity.eye_state.shape == (8,)
    assert np.all(identity.eye_state[:2] > 0.4)


def test_a_stored_portrait_renders_the_same(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    data = renderer.dump_appearance(portrait)
    assert len(data) < 6_500_000
    loaded = renderer.load_appearance(data)
    assert loaded.warnings == portrait.warnings
    for name in ("canonical_keypoints", "reference_motion", "eye_state"):
        np.testing.assert_array_equal(
            getattr(loaded.identity, name), getattr(portrait.identity, name)
        )
    frame = motion(
        portrait, (2, 5, 1), jawOpen=0.5, lipGap=0.4, mouthSmile=0.5, eyeBlinkLeft=0.5, gazeX=0.5
    )
    heads = [renderer.render_head(p.appearance, frame) for p in (portrait, loaded)]
    np.testing.assert_array_equal(*heads)
    np.testing.assert_array_equal(
        *(renderer.paste_back(p.appearance, heads[0]) for p in (portrait, loaded))
    )


def test_registering_twice_gives_the_same_bytes(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    again = renderer.prepare(example.close_up())
    assert renderer.dump_appearance(again) == renderer.dump_appearance(portrait)


@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "flipped bit", "longer"])
def test_damaged_bytes_are_refused(
    renderer: StarterRenderer, portrait: Registered, damage: str
) -> None:
    data = bytearray(renderer.dump_appearance(portrait))
    if damage == "empty":
        data = bytearray()
    elif damage == "noise":
        data = bytearray(np.random.default_rng(0).bytes(100_000))
    elif damage == "cut":
        del data[-1000:]
    elif damage == "flipped bit":
        data[len(data) // 2] ^= 1
    else:
        data += b"\0"
    with pytest.raises(CorruptDataError):
        renderer.load_appearance(bytes(data))


def test_sound_bytes_with_wrong_arrays_are_refused(
    renderer: StarterRenderer, portrait: Registered
) -> None:
    arrays = load_arrays(renderer.dump_appearance(portrait))
    for name in arrays:
        without = {key: value for key, value in arrays.items() if key != name}
        with pytest.raises(CorruptDataError):
            renderer.load_appearance(dump_arrays(without))
        emptied = arrays | {name: np.zeros(0, arrays[name].dtype)}
        with pytest.raises(CorruptDataError):
            renderer.load_appearance(dump_arrays(emptied))


def test_large_portraits_are_capped_and_made_even(renderer: StarterRenderer) -> None:
    image = cv2.resize(example.close_up(), (2501, 2301), interpolation=cv2.INTER_CUBIC)
    registered = renderer.prepare(image)
    assert registered.appearance.portrait.shape == (1766, 1920, 3)
    head = renderer.render_head(registered.appearance, at_rest(registered))
    assert head.shape == (512, 512, 3)
    assert head.dtype == np.uint8


def test_odd_sizes_become_even(renderer: StarterRenderer) -> None:
    assert renderer.prepare(example.close_up()[:599, :597]).appearance.portrait.shape == (
        598,
        596,
        3,
    )


def test_detail_survives(renderer: StarterRenderer) -> None:
    portrait = renderer.prepare(example.astronaut())

    def detail(image: np.ndarray) -> float:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float(cv2.Laplacian(grey, cv2.CV_32F)[130:400, 140:370].var())

    crop = portrait.appearance.arrays["portrait_crop"]
    source = cv2.warpAffine(example.astronaut(), crop, (512, 512), flags=cv2.INTER_CUBIC)
    for turn in ((0, 0, 0), (2, 3, 0), (-3, 5, 2)):
        frame = renderer.render_head(
            portrait.appearance, motion(portrait, turn, lipGap=0.7, jawOpen=0)
        )
        assert detail(frame) > 0.8 * detail(source)


def test_a_wide_open_mouth_is_refused(renderer: StarterRenderer, portrait: Registered) -> None:
    arrays = portrait.appearance.arrays
    assert arrays["traits"][3] > 5  # the smile's own gap, millimetres: still accepted
    stretched = renderer.render_head(portrait.appearance, motion(portrait, jawOpen=1, lipGap=1.3))
    for _ in range(2):  # open it, and the result again, until no closing can look real
        again = renderer.prepare(stretched)
        if any("mouth" in warning for warning in again.warnings):
            break
        stretched = renderer.render_head(again.appearance, motion(again, jawOpen=1, lipGap=1.3))
    assert any("mouth" in warning for warning in again.warnings)


def test_no_face_is_refused(renderer: StarterRenderer) -> None:
    with pytest.raises(FaceError, match="no face"):
        renderer.prepare(np.full((300, 400, 3), 90, np.uint8))
