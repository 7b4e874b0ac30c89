"""`ditto bench` on a real cluster, as short as it goes."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from ditto.bench.figures import read_result
from ditto.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STAGES = {"audio_encoder", "motion_dit", "renderer"}


@pytest.mark.slow
def test_two_loads_give_all_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / name) for name in ("run.json", "run.png")]
    portrait, speech = (str(EXAMPLES / name) for name in ("astronaut.jpg", "speech.wav"))
    options = ["--calls", "1,2", "--seconds", "1.5", "--probes", "1"]
    main(["bench", portrait, speech, *options, "-o", files[0], "--plot", files[1]])
    load = read_result(Path(files[0])).loads[0]
    assert (load.calls, load.failed_calls) == (1, 0), load.first_failure
    assert load.frames >= 37
    assert load.ffd_ms is not None
    assert load.ffd_compute_ms is not None
    assert load.ffd_ms.p50 > load.ffd_compute_ms.p50 > 0
    assert set(load.modules) == STAGES
    for figures in load.modules.values():
        assert figures.rtf > 0
        assert figures.busy is not None
        assert figures.busy > 0
        assert figures.batch_size == 1
    assert {"gateway", "renderer-0", "client"} <= set(load.cpu_s_per_video_s)
    assert set(load.loop_cpu_s_per_video_s) < set(load.cpu_s_per_video_s)
    assert load.messaging_share is not None
    assert 0 < load.messaging_share < 0.7  # most of the time is spent on frames
    assert cv2.imread(files[1]) is not None
    assert "CPU s per video s" in capsys.readouterr().out
    assert main(["bench", "--compare", files[0], files[0]]) == 0
    assert "(x1.00)" in capsys.readouterr().out


def test_what_cannot_be_run_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 2
    assert "both are needed" in capsys.readouterr().err
