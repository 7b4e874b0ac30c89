"""`ditto models` on released weights: pull, verify, generate, convert, from a hub on loopback."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from ditto import packs
from ditto.cli.command_line import main
from ditto.models.checkpoint import LAYOUTS, write_state
from ditto.models.stitch_network import StitchNetwork
from ditto.packs.ditto import generate
from ditto.packs.ditto.weights import Weights
from tests.packs.hub_server import HubServer

CHECKPOINT = "ditto_pytorch/models/stitch_network.pth"
CONFIG = "ditto_cfg/v0.4_hubert_cfg_trt_online.pkl"


@pytest.fixture
def hub_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The repository with one real checkpoint and one real configuration in it."""
    checkpoint = tmp_path / "stitch.pth"
    torch.manual_seed(0)
    write_state("stitch_network", StitchNetwork().state_dict(), checkpoint)
    config = pickle.dumps({"default_kwargs": {"overlap_v2": np.int64(70)}})
    files = {CHECKPOINT: checkpoint.read_bytes(), CONFIG: config}
    server = HubServer("digital-avatar/ditto-talkinghead", files, large={CHECKPOINT})
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("DITTO_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.close()


def test_pull_converts_and_verifies(
    hub_server: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "weights"
    assert main(["models", "pull", "ditto", "--dir", str(folder)]) == 0
    assert json.loads((folder / CONFIG).with_suffix(".json").read_text()) == {
        "default_kwargs": {"overlap_v2": 70}
    }
    assert main(["models", "verify", "ditto", "--dir", str(folder)]) == 0
    (folder / CHECKPOINT).write_bytes(b"rot")
    assert main(["models", "verify", "ditto", "--dir", str(folder)]) == 1
    assert "stitch_network.pth: fails its checksum" in capsys.readouterr().out
    assert main(["models", "pull", "ditto", "--dir", str(folder)]) == 0
    assert main(["models", "verify", "ditto", "--dir", str(folder)]) == 0


def test_pulled_checkpoints_load(hub_server: HubServer, tmp_path: Path) -> None:
    main(["models", "pull", "ditto", "--dir", str(tmp_path / "w")])
    loaded = Weights(tmp_path / "w").network("stitch_network")
    torch.manual_seed(0)
    assert all(map(torch.equal, loaded.parameters(), StitchNetwork().parameters()))


def test_list_tells_of_the_repository(
    tmp_path: Path,
    hub_server: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    landmarks = packs.load("ditto").asset("face_landmarker")
    monkeypatch.setenv("DITTO_CACHE_DIR", str(tmp_path))
    (tmp_path / landmarks.name).symlink_to(landmarks)
    main(["models", "list", "ditto"])
    assert "digital-avatar/ditto-talkinghead: not pulled" in capsys.readouterr().out
    main(["models", "pull", "ditto"])
    main(["models", "list", "ditto"])
    assert f"2 files, 0.00 GB in {tmp_path / 'ditto-talkinghead'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["pull", "starter", "--dir", "x"], ["generate"], ["convert", "starter"]],
)
def test_the_starter_pack_has_none_of_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 2
    assert "the starter pack has no released weights; try ditto" in capsys.readouterr().err


def test_convert_needs_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "convert", "ditto", "--dir", str(tmp_path / "no")]) == 1
    assert "ditto models pull ditto" in capsys.readouterr().err


@pytest.mark.slow
def test_generated_files_have_the_released_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In tiny sizes; the graph of the speech encoder is exported and quantised for real."""
    monkeypatch.setattr(generate, "Weights", lambda folder: Weights(folder, tiny=True))
    assert main(["models", "generate", "ditto", "--dir", str(tmp_path)]) == 0
    assert main(["models", "verify", "ditto", "--dir", str(tmp_path)]) == 0
    names = {path.name for path in (tmp_path / "ditto_pytorch" / "models").iterdir()}
    assert names == {layout.file_name for layout in LAYOUTS.values()}
    assert main(["models", "convert", "ditto", "--dir", str(tmp_path), "--to", "int8"]) == 0
    window = np.random.default_rng(0).normal(0, 0.1, (1, 6480)).astype(np.float32)
    expected = Weights(None, tiny=True).hubert()(torch.from_numpy(window))[0].detach().numpy()
    for name, least_cosine in (("hubert", 0.999999), ("hubert_int8", 0.999)):
        session = ort.InferenceSession(tmp_path / "ditto_onnx" / f"{name}.onnx")
        tokens = session.run(["encoding_out"], {"input_values": window})[0]
        assert tokens.shape == (20, 32)
        scale = np.linalg.norm(tokens, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((tokens * expected).sum(axis=1) / scale).min() > least_cosine
