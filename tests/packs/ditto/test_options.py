"""What a process may choose of the pack, and what it is told when that cannot be had."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from ditto import packs
from ditto.errors import CorruptDataError, SetupError
from ditto.packs.ditto.options import read_options
from ditto.packs.ditto.settings import DrivingSettings, read_settings


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DITTO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"wieghts": "generated"}, "has no option wieghts; it has: weights, device"),
        ({"backend": "caffe"}, "option backend of the ditto pack"),
        ({"device": "gpu"}, "'gpu' is not cpu, cuda or cuda:N"),
        ({"overlap": 10}, "option overlap .* greater than or equal to 40"),
        ({"weights": "generated", "backend": "onnxruntime"}, "ditto models generate ditto"),
        ({"backend": "tensorrt"}, "needs device: cuda"),
        ({}, "no weights of the ditto pack in .*ditto-talkinghead.*ditto models pull ditto"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_mend(
    options: dict[str, object], problem: str
) -> None:
    with pytest.raises(SetupError, match=problem):
        packs.load("ditto", options).motion_generator()


def test_the_starter_pack_has_no_options() -> None:
    with pytest.raises(SetupError, match="starter pack has no option device"):
        packs.load("starter", {"device": "cuda"})


@pytest.mark.parametrize("stage", ["audio_encoder", "motion_generator", "renderer"])
def test_a_missing_file_is_named(empty_cache: Path, stage: str) -> None:
    folder = empty_cache / "weights"
    folder.mkdir()
    pack = packs.load("ditto", {"weights": str(folder), "face": "released"})
    with pytest.raises(SetupError, match=r"is missing|are missing") as caught:
        getattr(pack, stage)()
    assert f"ditto models pull ditto --dir {folder}" in str(caught.value)


def test_a_missing_gpu_is_said() -> None:
    pack = packs.load("ditto", {"weights": "generated-tiny", "device": "cuda:7"})
    with pytest.raises(SetupError, match=r"device cuda:7.*(no GPU|GPUs)"):
        pack.motion_generator()


def test_hash_follows_weights_and_what_changes_results(empty_cache: Path) -> None:
    def hash_of(**options: object) -> str:
        return packs.load("ditto", options).hash

    tiny = {"weights": "generated-tiny"}
    assert hash_of(**tiny) == hash_of(**tiny, device="cuda", threads=2)
    (empty_cache / "a").mkdir()
    (empty_cache / "b").mkdir()
    (empty_cache / "b" / "x.pth").write_bytes(b"1")
    hashes = {
        hash_of(**tiny),
        hash_of(weights="generated"),
        hash_of(**tiny, overlap=75),
        hash_of(weights=str(empty_cache / "a")),
        hash_of(weights=str(empty_cache / "b")),
    }
    assert len(hashes) == 5


def test_half_precision_is_for_gpus() -> None:
    assert not read_options({}).is_half
    assert read_options({"device": "cuda"}).is_half
    assert not read_options({"device": "cuda", "half": False}).is_half


@pytest.mark.parametrize(("overlap", "frames"), [(60, 35), (70, 15), (75, 5)])
def test_motion_waits_for_two_segments(overlap: int, frames: int) -> None:
    pack = packs.load("ditto", {"weights": "generated-tiny", "overlap": overlap})
    assert pack.motion_delay_frames == frames
    assert packs.load("starter").motion_delay_frames == 0


def test_settings_come_from_the_released_configuration(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == DrivingSettings()
    kwargs = {
        "sampling_timesteps": 8,
        "smo_k_d": 5,
        "fix_kp_cond": 2,
        "v_min_max_for_clip": [np.full(265, -1.0), np.full(265, 1.0)],
        "delta_eye_arr": np.ones((15, 63)),
        "delta_eye_open_n": [70, 80],
    }
    path = tmp_path / "v0.4_hubert_cfg_trt_online.pkl"
    path.write_bytes(pickle.dumps({"default_kwargs": kwargs}))
    settings = read_settings(tmp_path)
    assert (settings.sampling_steps, settings.smooth_frames, settings.reset_every) == (8, 5, 2)
    assert settings.limits is not None
    assert settings.limits[0].shape == (265,)
    assert settings.blink_deltas is not None
    assert settings.blink_deltas.shape == (15, 63)
    assert settings.blink_open_frames == (70, 80)
    assert path.with_suffix(".json").is_file()


@pytest.mark.parametrize(
    "content", [[], {}, {"default_kwargs": {"v_min_max_for_clip": [[1], [2]]}}]
)
def test_another_configuration_is_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / "v0.4_hubert_cfg_pytorch.json").write_text(json.dumps(content))
    with pytest.raises(CorruptDataError, match="not a configuration of this pack"):
        read_settings(tmp_path)


def test_the_released_speech_encoder_needs_no_torch(tmp_path: Path) -> None:
    graph = tmp_path / "ditto_onnx" / "hubert.onnx"
    graph.parent.mkdir()
    window = onnx.helper.make_tensor_value_info("input_values", onnx.TensorProto.FLOAT, [1, None])
    tokens = onnx.helper.make_tensor_value_info("tokens", onnx.TensorProto.FLOAT, [20, 324])
    shape = onnx.helper.make_tensor("shape", onnx.TensorProto.INT64, [2], [20, 324])
    node = onnx.helper.make_node("Reshape", ["input_values", "shape"], ["tokens"])
    body = onnx.helper.make_graph([node], "g", [window], [tokens], [shape])
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, graph)
    code = (
        "import sys; from ditto import packs; "
        f"pack = packs.load('ditto', {{'weights': {str(tmp_path)!r}}}); "
        "print(pack.audio_encoder().feature_dim, len(pack.hash), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["324", "16", "False"]
