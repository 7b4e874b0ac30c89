"""Packs by name, their manifests, and the starter's real assets from the real index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ditto import packs
from ditto.errors import SetupError
from ditto.packs.manifest import read_manifest
from ditto.packs.pack import Pack


def test_starter_is_there_and_unknown_names_are_refused() -> None:
    assert "starter" in packs.names()
    with pytest.raises(SetupError, match=r"no model pack is called 'stater'; there are: .*starter"):
        packs.load("stater")


@pytest.mark.parametrize("name", packs.names())
def test_every_manifest_is_of_its_folder_and_pins_its_assets(name: str) -> None:
    manifest = packs.load(name).manifest
    assert manifest.name == name
    assert manifest.frame_rate == 25
    assert len({asset.cache_name for asset in manifest.assets.values()}) == len(manifest.assets)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("surprise: 1", "surprise"),
        ("assets: {a: {file: ../x}}", "file"),
        ("assets: {a: {source: {kind: floppy}}}", "floppy"),
        ("frame_rate: [", "flow node"),
    ],
)
def test_a_wrong_manifest_names_the_line(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(f"name: x\n{line}\n")
    with pytest.raises(SetupError, match=problem):
        read_manifest(path)


def test_hash_follows_the_manifest_and_the_weights(tmp_path: Path) -> None:
    starter = packs.load("starter")
    (tmp_path / "weights").mkdir()
    (tmp_path / "manifest.yaml").write_bytes((starter.folder / "manifest.yaml").read_bytes())

    def hash_now() -> str:
        return Pack(tmp_path, starter.manifest).hash

    seen = {hash_now()}
    (tmp_path / "weights" / "a.onnx").write_bytes(b"1")
    seen.add(hash_now())
    (tmp_path / "weights" / "a.onnx").write_bytes(b"2")
    seen.add(hash_now())
    (tmp_path / "weights" / "MODEL_CARD.md").write_text("what is said of them changes nothing")
    seen.add(hash_now())
    assert len(seen) == 3
    assert packs.load("starter").hash == starter.hash


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="reinstall"):
        Pack(tmp_path, packs.load("starter").manifest).weights("motion_dit.onnx")


def test_pull_verify_and_status_of_the_real_assets() -> None:
    assert all(asset.intact for asset in packs.pull("starter", quiet=True))
    assert packs.verify("starter") == []
    status = {asset.asset: asset for asset in packs.status("starter")}
    assert status["face_landmarker"].license == "Apache-2.0"
    assert status["face_landmarker"].path.stat().st_size == 3_758_596


def test_the_audio_stage_loads_nothing_of_the_others() -> None:
    code = (
        "import sys; from ditto import packs; packs.load('starter').audio_encoder();"
        "print([m for m in ('torch', 'onnx', 'cv2', 'av', 'ai_edge_litert') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_pack_that_needs_torch_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from ditto import packs;"
        "packs.load('ditto', {'weights': 'generated-tiny'}).motion_generator()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "the ditto pack needs torch; pip install 'ditto-cluster[gpu]'" in done.stderr
