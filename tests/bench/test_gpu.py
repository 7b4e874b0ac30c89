"""`bench.gpu` at toy sizes on the CPU, and its sessions on a device that takes no time."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
import torch

from bench.gpu import command
from bench.gpu.sessions import VALID_FRAMES, carry_sessions


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-3), ("bfloat16", 0.6)])
def test_the_script_checks_and_times_every_form(dtype: str, tolerance: float, tmp_path: Path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    file = tmp_path / "gpu.json"
    options = ["--toy", "--device", "cpu", "--dtype", dtype, "--no-compile", "-o", str(file)]
    try:
        assert command.main(options) == 0
    finally:
        torch.set_num_threads(threads)
    found = json.loads(file.read_text())
    forms = Counter((row["network"], row["form"]) for row in found["rows"])
    assert len(forms) == 6
    assert set(forms.values()) == {2}
    assert all(row["error"] <= tolerance for row in found["rows"])
    assert all(row["ms"] > 0 and row["gigabytes"] > 0 for row in found["rows"])
    naive, low = (r for r in found["rows"][:2])
    assert low["gigabytes"] < naive["gigabytes"]
    assert found["sessions"][0]["frames"] >= VALID_FRAMES


def test_without_a_device_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        assert command.parse([]).device == "cuda"
        return
    with pytest.raises(SystemExit):
        command.main([])
    assert "--toy --device cpu" in capsys.readouterr().err


def sessions(count: int, frame_s: float) -> tuple[object, Counter[tuple[str, int]]]:
    """Half a second of sessions whose segments cost nothing and whose batches take `frame_s`."""
    runs: Counter[tuple[str, int]] = Counter()

    def run(kind: str, size: int, cost_s: float) -> torch.Tensor:
        runs[kind, size] += 1
        time.sleep(cost_s)
        return torch.zeros(size)

    sample = {size: lambda s=size: run("segment", s, 0) for size in (1, 2, 4)}
    draw = {size: lambda s=size: run("frame", s, frame_s) for size in (1, 2, 4, 8)}
    return carry_sessions(count, 0.5, sample, draw, lambda: None), runs


def test_a_quick_device_draws_every_frame_of_every_segment():
    load, runs = sessions(3, frame_s=0.0)
    segments = sum(n for (kind, _), n in runs.items() if kind == "segment")
    assert load.frames % VALID_FRAMES == 0
    assert 6 <= load.frames // VALID_FRAMES <= 9
    assert segments <= load.frames // VALID_FRAMES
    assert load.busy < 0.9


def test_a_slow_device_is_late():
    load, runs = sessions(4, frame_s=0.12)
    assert load.late_frames > 0
    assert load.busy > 0.5
    assert any(size == 8 for kind, size in runs if kind == "frame")
