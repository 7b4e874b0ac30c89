"""`ditto eval`: a clip through a whole cluster to a report, and tables that need none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ditto.cli import main
from ditto.client import Client
from ditto.local_cluster import LocalCluster

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_folder_without_clips_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "clips", str(tmp_path), "-o", str(tmp_path / "report")]) == 2
    assert "talking-*" in capsys.readouterr().err


def test_a_study_page_from_two_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.mp4").write_bytes(b"video")
    page = tmp_path / "study.html"
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["eval", "study", *folders, "-o", str(page)]) == 0
    assert "1 comparisons" in capsys.readouterr().out
    assert main(["eval", "study", *folders]) == 2


@pytest.mark.slow
def test_a_clip_is_judged_through_a_cluster(
    cluster: LocalCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The "real" clip is one that the pack made: its mouth must be found again."""
    pcm = (EXAMPLES / "speech.wav").read_bytes()[44:][: 2 * 16_000 * 5]
    portrait = EXAMPLES / "astronaut.jpg"
    with Client(cluster.address) as client, client.animate(portrait, pcm, video="mp4") as call:
        call.save(tmp_path / "talking-example.mp4")
    report = tmp_path / "report"
    command = ["eval", "clips", str(tmp_path), "-o", str(report), "--server", cluster.address]
    assert main(command) == 0
    assert "| mouth correlation" in capsys.readouterr().out
    found = json.loads((report / "report.json").read_text())
    assert found["figures"]["mouth"]["r"] > 0.8
    assert found["figures"]["mouth"]["best_lag_frames"] == 0
    assert found["figures"]["identity"]["ratio"] > 0.9
    assert found["paper"]["FID"].startswith("not measured")
    kept = {path: path.stat().st_mtime_ns for path in (report / "measured").iterdir()}
    assert main(command) == 0
    assert kept == {path: path.stat().st_mtime_ns for path in (report / "measured").iterdir()}
    assert np.isfinite(found["figures"]["aperture"]["sd_ratio"])
