"""Several processes train one model: equal weights on all, and those of the data that each saw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ditto.errors import InvalidInputError
from ditto.training.workers import Worker, choose_device

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
import torch
from ditto.models.motion_dit import MotionDiTParams
from ditto.training import loop, store, workers
from ditto.training.recipe import Recipe
from ditto.training.starter_task import StarterTask

data, out = map(Path, sys.argv[1:])
torch.set_num_threads(1)
recipe = Recipe(steps=3, batch=4, window_frames=20)
params = MotionDiTParams(audio_dim=22, width=16, heads=2, layers=1)
clips = store.read_clips(data)
with workers.join("cpu") as worker:
    task = StarterTask(clips, clips, recipe, params)
    trainer = loop.train(task, out, recipe, worker, judge_every=3)
    weights = {name: w for name, w in task.network.state_dict().items()}
    torch.save((worker.count, trainer.adaptive.state(), weights), out / f"rank-{worker.rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_end_with_the_same_weights(training_data: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(script), str(training_data), str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=200, env=_environment())
    ranks = [torch.load(tmp_path / f"rank-{n}.pt", weights_only=True) for n in range(2)]
    assert [count for count, *_ in ranks] == [2, 2]
    for name, weight in ranks[0][2].items():
        assert torch.equal(weight, ranks[1][2][name]), name
    assert torch.equal(ranks[0][1]["weights"], ranks[1][1]["weights"])
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 3


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    assert Worker(torch.device("cpu"), count=4).share(32) == 8
    with pytest.raises(InvalidInputError, match="3 processes"):
        Worker(torch.device("cpu"), count=3).share(32)


def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu").type == "cpu"
