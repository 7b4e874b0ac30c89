"""Registration through all five face networks, stood in for by ONNX files with constant outputs."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ditto.errors import CorruptDataError, FaceError, SetupError
from ditto.face.eye_state import eye_open
from ditto.face.reference_crop import PORTRAIT_CROP, crop_transform
from ditto.face.reference_registration import bounded_image, bounded_size, register_face
from ditto.face.released_networks import FILES, load_face_networks
from tests.golden.logic import folders, table
from tests.golden.logic_inputs import uniform32, video_frame

EYES_106 = ((33, 35, 40, 39), (87, 89, 94, 93))
EYES_203 = ((0, 6, 12, 18), (24, 30, 36, 42))


def _write_constant_network(path: Path, shape: list[int], outputs: list[np.ndarray]) -> None:
    """A network of one input whose outputs never change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"output{index}" for index in range(len(outputs))]
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in zip(names, outputs, strict=True)
    ]
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
        for name, value in zip(names, outputs, strict=True)
    ]
    entry = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "constant", [entry], infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, str(path))


def _face_points(
    count: int, eyes: tuple[tuple[int, ...], ...], lips: tuple[int, int]
) -> np.ndarray:
    """An upright face (count, 2) in -1..1: outline on a circle, eyes above, lips below."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points[list(eyes[0])], points[list(eyes[1])] = [-0.25, -0.2], [0.25, -0.2]
    points[list(lips)] = [[-0.15, 0.3], [0.15, 0.3]]
    return points.astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the released layout whose networks see one face in the middle of the image."""
    cells = [(512 // stride) ** 2 * 2 for stride in (8, 16, 32)]
    scores = [np.zeros((n, 1), np.float32) for n in cells]
    scores[2][2 * (16 * 6 + 8)] = 0.9  # the cell at (256, 192) of the letterboxed image
    boxes = [np.full((n, 4), 3, np.float32) for n in cells]
    points = [np.zeros((n, 10), np.float32) for n in cells]
    regressors = np.zeros((1, 896, 16), np.float32)
    regressors[0, 272, 2:4] = 64
    regressors[0, 272, 4:8] = [-12, -8, 12, -8]
    logits = np.full((1, 896, 1), -9, np.float32)
    logits[0, 272] = 3  # the cell at (68, 68) of 128
    mesh = uniform32("input:mesh:pts", (478, 3), 0, 256).reshape(1, 1, 1, 1434)
    outputs = {
        "insightface_det": ([1, 3, 512, 512], scores + boxes + points),
        "landmark106": ([1, 3, 192, 192], [_face_points(106, EYES_106, (52, 61)).reshape(1, 212)]),
        "landmark203": (
            [1, 3, 224, 224],
            [_face_points(203, EYES_203, (48, 66)).reshape(1, 406) / 2 + np.float32(0.5)],
        ),
        "blaze_face": ([1, 128, 128, 3], [regressors, logits]),
        "face_mesh": ([1, 256, 256, 3], [mesh, mesh[..., :1], mesh[..., :1]]),
    }
    for name, (shape, values) in outputs.items():
        _write_constant_network(tmp_path / FILES[name][0], shape, values)
    return tmp_path


def test_the_face_is_found_cropped_and_read(folder: Path) -> None:
    face = register_face(video_frame(), load_face_networks(folder))
    assert face.crop.shape == (512, 512, 3)
    assert face.landmarks.shape == (203, 2)
    centre = face.landmarks.mean(axis=0)
    np.testing.assert_allclose(centre, [360, 270], atol=50)
    expected = crop_transform(face.landmarks, PORTRAIT_CROP).to_crop
    np.testing.assert_array_equal(face.transform.to_crop, expected)
    mesh = uniform32("input:mesh:pts", (478, 3), 0, 256)[None]
    np.testing.assert_allclose(face.eye_open, eye_open(mesh)[0], rtol=1e-3)
    assert face.eye_ball.shape == (6,)


def test_a_known_face_is_followed_without_detecting(folder: Path) -> None:
    networks = load_face_networks(folder)
    first = register_face(video_frame(), networks)

    def forbidden(batch: np.ndarray) -> list[np.ndarray]:
        raise AssertionError("the detector ran again")

    object.__setattr__(networks, "insightface_det", forbidden)
    followed = register_face(video_frame(), networks, first.landmarks)
    np.testing.assert_allclose(
        followed.landmarks.mean(axis=0), first.landmarks.mean(axis=0), atol=40
    )


def test_no_face_is_a_face_error(folder: Path) -> None:
    networks = load_face_networks(folder)

    def blind(batch: np.ndarray) -> list[np.ndarray]:
        return [np.zeros((1, 896, 16), np.float32), np.full((1, 896, 1), -9, np.float32)]

    with pytest.raises(FaceError, match="no face"):
        register_face(video_frame(), replace(networks, blaze_face=blind))


def test_every_missing_file_is_named(folder: Path) -> None:
    (folder / "ditto_onnx" / "landmark106.onnx").unlink()
    (folder / "ditto_onnx" / "face_mesh.onnx").unlink()
    with pytest.raises(SetupError) as caught:
        load_face_networks(folder)
    message = str(caught.value)
    assert "ditto_onnx/landmark106.onnx" in message
    assert "ditto_onnx/face_mesh.onnx" in message
    assert "landmark203" not in message
    assert "ditto models pull ditto" in message


def test_the_torch_layout_s_names_serve_too(folder: Path) -> None:
    other = folder / FILES["insightface_det"][1]
    other.parent.mkdir(parents=True)
    (folder / FILES["insightface_det"][0]).rename(other)
    register_face(video_frame(), load_face_networks(folder))


def test_a_broken_file_is_named(folder: Path) -> None:
    (folder / "ditto_onnx" / "landmark203.onnx").write_bytes(b"not a network")
    with pytest.raises(CorruptDataError, match="landmark203"):
        load_face_networks(folder)


@pytest.mark.parametrize("golden", folders())
def test_sizes_are_capped_and_even(golden: Path) -> None:
    rows = table(golden, "logic_misc")["check_resize"]
    assert rows
    for height, width, cap, new_height, new_width, changed in rows:
        assert bounded_size(height, width, cap) == (new_height, new_width)
        assert ((height, width) != (new_height, new_width)) == bool(changed)


def test_an_image_of_a_good_size_stays_itself() -> None:
    image = video_frame()
    assert bounded_image(image) is image
    odd = image[:-1, :-1]
    np.testing.assert_array_equal(bounded_image(odd), cv2.resize(odd, (718, 538)))
