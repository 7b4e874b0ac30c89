"""A tiny model trains, and a run that was interrupted ends with the very same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ditto.errors import InvalidInputError
from ditto.models.motion_dit import MotionDiTParams
from ditto.training import loop
from ditto.training.dataset import Clip
from ditto.training.recipe import ABLATIONS, Recipe
from ditto.training.starter_task import StarterTask

PARAMS = MotionDiTParams(audio_dim=22, width=32, heads=2, layers=2)
RECIPE = Recipe(steps=150, batch=8, window_frames=20, learning_rate=4e-3, audio_noise=0.2)
SHORT = Recipe(steps=8, batch=4, window_frames=20)


def task(clip: Clip, recipe: Recipe, params: MotionDiTParams = PARAMS) -> StarterTask:
    return StarterTask([clip], [clip], recipe, params)


def equal(first: Any, second: Any) -> bool:
    """Whether nested states hold the same numbers, bit by bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return bool(first == second or first != first)


def test_losses_fall(clip: Clip) -> None:
    trainer = loop.Trainer(task(clip, RECIPE), RECIPE)
    history = [float(trainer.train_step()[0].mean()) for _ in range(RECIPE.steps)]
    assert np.mean(history[-30:]) < 0.75 * np.mean(history[:15])


@pytest.mark.parametrize("optimiser", ["adamw", "adan"])
def test_a_resumed_run_is_the_same_run(clip: Clip, tmp_path: Path, optimiser: str) -> None:
    recipe = replace(SHORT, optimiser=optimiser)
    whole = loop.train(task(clip, recipe), tmp_path / "whole", recipe, judge_every=4)
    first = loop.Trainer(task(clip, recipe), recipe)
    for _ in range(4):
        first.train_step()
    loop._judge(first, tmp_path, None)
    resumed = loop.train(task(clip, recipe), tmp_path, recipe, judge_every=4)
    assert resumed.step == 8
    assert equal(whole.state(), resumed.state())


def test_a_checkpoint_of_another_recipe_is_refused(clip: Clip, tmp_path: Path) -> None:
    loop.train(task(clip, replace(SHORT, steps=1)), tmp_path, replace(SHORT, steps=1))
    with pytest.raises(InvalidInputError, match="flip, steps"):
        loop.train(task(clip, SHORT), tmp_path, replace(SHORT, flip=False))


def test_the_kept_checkpoint_has_the_best_lip_sync_not_the_last(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.1, 0.6, 0.3, 0.2])
    trained = task(clip, SHORT)
    monkeypatch.setattr(trained, "score", lambda network: {"lip_sync": next(scores)})
    loop.train(trained, tmp_path, SHORT, judge_every=2)
    assert torch.load(tmp_path / loop.BEST, weights_only=True)["step"] == 4
    assert torch.load(tmp_path / loop.LAST, weights_only=True)["step"] == 8


def test_the_lip_sync_score_is_that_of_the_generated_mouth(clip: Clip) -> None:
    recipe = replace(RECIPE, steps=400)
    trainer = loop.Trainer(task(clip, recipe), recipe)
    before = trainer.task.score(trainer.average)["lip_sync"]
    for _ in range(120):
        trainer.train_step()
    assert trainer.judge()["lip_sync"] > max(0.3, before + 0.1)
    row = trainer.journal.rows[-1]
    assert row["step"] == 120
    assert row["x0/lips"] > 0


def test_loss_weights_are_renewed_after_every_epoch(clip: Clip) -> None:
    recipe = replace(SHORT, epoch_steps=2)
    trainer = loop.Trainer(task(clip, recipe), recipe)
    weights = []
    for _ in range(5):
        trainer.train_step()
        weights.append(trainer.adaptive.weights.clone())
    assert weights[2].tolist() == [1, 1, 1, 1]
    assert weights[3].tolist() != [1, 1, 1, 1]
    assert torch.equal(weights[3], weights[4])
    assert float(weights[3].mean()) == pytest.approx(1)


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_trains(clip: Clip, name: str) -> None:
    recipe = replace(ABLATIONS[name], steps=4, batch=4, window_frames=20)
    trained = task(clip, recipe, replace(PARAMS, clean_prefix=recipe.clean_prefix))
    trainer = loop.Trainer(trained, recipe)
    losses = [trainer.train_step() for _ in range(2)]
    assert all(torch.isfinite(rows).all() for rows in losses)
    assert trained.term_weights.velocity == recipe.temporal_losses
    assert bool(trained.network.carry.any()) == recipe.clean_prefix
    assert trained.network.enhanced_mask.sum() == 79 - 63 * (not recipe.canonical_keypoints) - 8 * (
        not recipe.emotion
    )


def test_without_a_clean_prefix_shown_frames_change_nothing(clip: Clip) -> None:
    recipe = replace(SHORT, clean_prefix=False)
    network = task(clip, recipe, replace(PARAMS, clean_prefix=False)).network.eval()
    torch.nn.init.normal_(network.out.weight)
    rows = torch.randn(3, 1, 20, 23)
    tokens, t = torch.randn(1, 20, 32), torch.rand(1, 4)
    shown = [
        network(frames, rows[1], rows[2], (tokens, tokens), t) for frames in (rows[0], rows[1])
    ]
    assert torch.equal(*shown)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_keeps_weights_in_single_precision(clip: Clip, precision: str) -> None:
    recipe = replace(SHORT, precision=precision)
    trainer = loop.Trainer(task(clip, recipe), recipe)
    exact = loop.Trainer(task(clip, SHORT), SHORT)
    mixed, single = trainer.train_step(), exact.train_step()
    assert all(weight.dtype == torch.float32 for weight in trainer.task.network.parameters())
    assert not torch.equal(mixed, single)
    torch.testing.assert_close(mixed.float(), single, rtol=0.05, atol=0.05)
