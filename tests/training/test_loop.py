"""A tiny model trains, and a run that was interrupted ends with the very same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ditto.models.motion_dit import MotionDiTParams
from ditto.training import loop
from ditto.training.dataset import Clip

PARAMS = MotionDiTParams(audio_dim=24, width=32, heads=2, layers=2)
RECIPE = loop.Recipe(steps=150, batch=8, window_frames=20)


def test_losses_fall(clip: Clip) -> None:
    trainer = loop.Trainer([clip], RECIPE, PARAMS)
    history = [float(trainer.train_step().position.detach()) for _ in range(RECIPE.steps)]
    assert np.mean(history[-30:]) < 0.75 * np.mean(history[:15])


def test_a_resumed_run_is_the_same_run(clip: Clip, tmp_path: Path) -> None:
    recipe = loop.Recipe(steps=8, batch=4, window_frames=20)
    whole = loop.train([clip], tmp_path / "whole.pt", recipe, PARAMS)
    first = loop.Trainer([clip], recipe, PARAMS)
    for _ in range(4):
        first.train_step()
    loop.save(first, tmp_path / "half.pt")
    resumed = loop.train([clip], tmp_path / "half.pt", recipe, PARAMS)
    for name, weight in whole.average.state_dict().items():
        assert torch.equal(weight, resumed.average.state_dict()[name]), name
    assert resumed.step == 8
