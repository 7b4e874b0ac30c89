"""Configuration pickles: what they hold comes out, what they would run does not."""

from __future__ import annotations

import json
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from ditto.errors import CorruptDataError, SetupError
from ditto.packs.ditto.config_pickle import convert_config_pickle, read_config_pickle

CONFIG = {
    "base_cfg": {"warp_network_cfg": {"model_path": "warp.engine", "device": "cuda"}},
    "default_kwargs": OrderedDict(
        overlap_v2=70,
        sampling_timesteps=10,
        fade_out_keys=("exp",),
        use_d_keys=None,
        smo_k_d=np.int64(3),
        crop_scale=np.float32(2.25),
        v_min_max_for_clip=[np.zeros(265, np.float32), np.ones(265, np.float32)],
        delta_eye_arr=np.asfortranarray(np.arange(45.0).reshape(15, 3)),
        big_endian=np.arange(3, dtype=">i2"),
    ),
}


@pytest.mark.parametrize("protocol", range(6))
def test_values_survive_every_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "cfg.pkl"
    path.write_bytes(pickle.dumps(CONFIG, protocol))
    settings = read_config_pickle(path)["default_kwargs"]
    assert settings["overlap_v2"] == 70
    assert settings["smo_k_d"] == 3
    assert settings["crop_scale"] == 2.25
    assert settings["fade_out_keys"] == ["exp"]
    assert settings["v_min_max_for_clip"][1] == [1.0] * 265
    assert settings["delta_eye_arr"] == np.arange(45.0).reshape(15, 3).tolist()
    assert settings["big_endian"] == [0, 1, 2]


def test_conversion_writes_json_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "v0.4_hubert_cfg_trt_online.pkl"
    path.write_bytes(pickle.dumps(CONFIG))
    target = convert_config_pickle(path)
    assert target.name == "v0.4_hubert_cfg_trt_online.json"
    assert json.loads(target.read_text()) == read_config_pickle(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [target.name, path.name]


class _Attack:
    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple[object, ...]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (np.load, "numpy")],
)
def test_a_malicious_file_is_refused_and_runs_nothing(
    tmp_path: Path, function: object, name: str, protocol: int
) -> None:
    trace = tmp_path / "trace"
    command = {"system": f"touch {trace}", "eval": f"open({str(trace)!r}, 'w')"}.get(name, "x")
    path = tmp_path / "cfg.pkl"
    path.write_bytes(pickle.dumps({"base_cfg": _Attack(function, command)}, protocol))
    with pytest.raises(CorruptDataError, match=rf"{name}.* is refused; nothing in it was executed"):
        read_config_pickle(path)
    assert not trace.exists()


def test_arrays_of_objects_and_odd_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cfg.pkl"
    for value in (np.array([{}], object), b"bytes", 1j):
        path.write_bytes(pickle.dumps({"a": value}))
        with pytest.raises(CorruptDataError):
            read_config_pickle(path)


def test_loops_garbage_and_absence_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "cfg.pkl"
    loop: dict[str, object] = {}
    loop["self"] = loop
    path.write_bytes(pickle.dumps(loop))
    with pytest.raises(CorruptDataError, match="nested"):
        read_config_pickle(path)
    path.write_bytes(b"\x80\x04no pickle")
    with pytest.raises(CorruptDataError, match="no configuration pickle"):
        read_config_pickle(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(CorruptDataError, match="list"):
        read_config_pickle(path)
    path.unlink()
    with pytest.raises(SetupError, match="ditto models pull"):
        read_config_pickle(path)
