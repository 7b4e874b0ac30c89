"""`ditto data` and `ditto train`, as they are typed, on a data folder of one example."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ditto.cli import main
from ditto.media.image import decode_portrait
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from tests.training.conftest import clip, take, training_data

__all__ = ["clip", "take", "training_data"]


def test_a_data_folder_is_checked_and_shown(
    training_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", str(training_data)]) == 0
    told = capsys.readouterr().out
    assert "train: 1 clips" in told
    assert "left out: 1 x no sound" in told
    picture = tmp_path / "clip.png"
    assert main(["data", "show", str(training_data), "tuning", "-o", str(picture)]) == 0
    assert decode_portrait(picture.read_bytes()).shape[1] > 600
    assert main(["data", "show", str(training_data), "nobody", "-o", str(picture)]) == 2
    assert "no clip 'nobody'" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path)]) == 2
    assert "ditto data build" in capsys.readouterr().err


def test_training_writes_checkpoints_curves_events_and_the_model(
    training_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, model = tmp_path / "run", tmp_path / "motion_dit.onnx"
    words = [
        "train",
        str(training_data),
        str(run),
        "--batch",
        "4",
        "--steps",
        "4",
        "--judge-every",
        "2",
    ]
    assert main([*words, "--export", str(model)]) == 0
    assert torch.load(run / "last.pt", weights_only=True)["step"] == 4
    assert (run / "best.pt").exists()
    assert decode_portrait((run / "curves.png").read_bytes()).shape[1] > 600
    events = b"".join(path.read_bytes() for path in (run / "tensorboard").iterdir())
    for tag in (b"lip_sync", b"loss/x0", b"weight/lips", b"samples", b"\x89PNG"):
        assert tag in events, tag
    assert StarterMotionGenerator(model).feature_dim == 24
    report = json.loads((run / "report.json").read_text())
    assert report["statistics"]["seam_mouth"] > 0
    assert np.isfinite(report["held_out_voices"]["r_gap"])
    assert main([*words, "--seed", "5"]) == 2
    assert "another recipe (seed)" in capsys.readouterr().err


@pytest.mark.slow
def test_an_ablation_leaves_one_result_a_run(training_data: Path, tmp_path: Path) -> None:
    words = ["train", str(training_data), str(tmp_path), "--ablation", "no-flip", "--seeds", "1"]
    assert main([*words, "--steps", "2"]) == 0
    result = json.loads((tmp_path / "no-flip-0.json").read_text())
    assert result["recipe"]["flip"] is False
    assert result["recipe"]["steps"] == 2
    assert np.isfinite(result["held_out_voices"]["r_gap"])
    assert {row["step"] for row in result["curves"]} == {1, 2}
    assert main([*words, "--steps", "900"]) == 0  # the result exists: nothing is trained
    assert main(["train", str(training_data), str(tmp_path), "--ablation", "no-lips"]) == 2
