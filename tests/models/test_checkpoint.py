"""Released checkpoint files: layouts, strictness, and files that mean harm."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import cast

import pytest
import torch

from ditto.errors import CorruptDataError, SetupError
from ditto.models.checkpoint import LAYOUTS, load_network, read_state, write_state
from ditto.models.lmdm import Lmdm, LmdmParams
from tests.models.small_networks import build


@pytest.fixture
def stitch_file(tmp_path: Path) -> Path:
    path = tmp_path / LAYOUTS["stitch_network"].file_name
    write_state("stitch_network", build("stitch_network").state_dict(), path)
    return path


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_every_layout_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    path, state = tmp_path / LAYOUTS[name].file_name, build(name).state_dict()
    write_state(name, state, path)
    read = read_state(name, path)
    assert list(read) == list(state)
    for key, value in state.items():
        torch.testing.assert_close(read[key], value, rtol=0, atol=0)


def test_a_released_file_loads_strictly(stitch_file: Path) -> None:
    loaded, expected = load_network("stitch_network", stitch_file), build("stitch_network")
    assert not loaded.training
    for one, other in zip(loaded.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_stitch_keys_may_carry_a_parallel_wrapper_prefix(tmp_path: Path) -> None:
    state = build("stitch_network").state_dict()
    path = tmp_path / "stitch_network.pth"
    write_state("stitch_network", {f"module.{key}": value for key, value in state.items()}, path)
    assert list(read_state("stitch_network", path)) == list(state)


def test_condition_width_is_read_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lmdm.pth"
    write_state("lmdm", Lmdm(LmdmParams(cond_dim=1059)).state_dict(), path)
    assert cast(Lmdm, load_network("lmdm", path)).params.cond_dim == 1059


class _Harm:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("as_archive", [True, False])
def test_a_malicious_file_is_refused_and_nothing_runs(tmp_path: Path, as_archive: bool) -> None:
    path, marker = tmp_path / "decoder.pth", tmp_path / "executed"
    content = {"weight": torch.zeros(1), "payload": _Harm(marker)}
    if as_archive:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps({"payload": _Harm(marker)}))
    with pytest.raises(CorruptDataError, match="refused"):
        load_network("decoder", path)
    assert not marker.exists()


def test_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="ditto models pull"):
        load_network("decoder", tmp_path / "decoder.pth")


def test_truncated_file(stitch_file: Path) -> None:
    stitch_file.write_bytes(stitch_file.read_bytes()[:-2000])
    with pytest.raises(CorruptDataError):
        load_network("stitch_network", stitch_file)


def test_missing_and_surplus_keys_are_named(tmp_path: Path) -> None:
    state = build("stitch_network").state_dict()
    state["mlp.8.bias"] = state.pop("mlp.6.bias")
    path = tmp_path / "stitch_network.pth"
    write_state("stitch_network", state, path)
    with pytest.raises(CorruptDataError, match=r"(?s)mlp\.6\.bias.*mlp\.8\.bias"):
        load_network("stitch_network", path)


def test_wrapper_key_is_required(tmp_path: Path) -> None:
    path = tmp_path / "stitch_network.pth"
    torch.save(build("stitch_network").state_dict(), path)
    with pytest.raises(CorruptDataError, match="retarget_shoulder"):
        load_network("stitch_network", path)


def test_content_must_be_named_tensors(tmp_path: Path) -> None:
    path = tmp_path / "decoder.pth"
    torch.save([torch.zeros(1)], path)
    with pytest.raises(CorruptDataError, match="named tensors"):
        load_network("decoder", path)
