"""The training loop of every motion model: resumable to the bit, on one process or several.

All chance of a step comes from (seed, process, step), so a run that was stopped and goes on from
its checkpoint ends with the very weights of one that was not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ditto.errors import InvalidInputError
from ditto.training.adan import Adan
from ditto.training.adaptive import AdaptiveWeights
from ditto.training.journal import Journal
from ditto.training.losses import TERMS
from ditto.training.recipe import Recipe
from ditto.training.task import Task
from ditto.training.workers import Worker

LAST, BEST = "last.pt", "best.pt"
"""Files of a run's folder: where it goes on, and the checkpoint with the best lip-sync score."""
_LARGEST_GRADIENT = 1.0


class Trainer:
    """A task's network, its average, its optimiser and its place in the run."""

    def __init__(self, task: Task, recipe: Recipe, worker: Worker | None = None) -> None:
        self.task, self.recipe = task, recipe
        self.worker = worker or Worker(torch.device("cpu"))
        self.step, self.best_score = 0, -float("inf")
        device = self.worker.device
        task.objective.to(device)
        self.parallel = self.worker.wrap(task.objective)
        self.average = copy.deepcopy(task.network).eval()
        width = sum(map(len, task.groups.values()))
        one_pass = round(task.frames / (recipe.batch * recipe.window_frames))
        epoch_steps = recipe.epoch_steps or one_pass
        self.adaptive = AdaptiveWeights(task.groups, width, epoch_steps, recipe.adaptive_weights)
        self.optimiser = _optimiser(task.network, recipe)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            recipe.learning_rate,
            recipe.steps,
            pct_start=recipe.warm_up_share,
            cycle_momentum=False,
        )
        half = recipe.precision == "float16" and device.type == "cuda"
        self.scaler = torch.amp.GradScaler(device.type, enabled=half)
        self.journal = Journal(task.groups)

    def train_step(self) -> Tensor:
        """One batch forward, back, and one step of weights and average. Gives losses (4, C)."""
        key = [self.recipe.seed, self.worker.rank, self.step]
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        count = self.worker.share(self.recipe.batch)
        batch = self.task.draw(count, np.random.default_rng([*key, 1]))
        device = self.worker.device
        batch = {name: rows.to(device, non_blocking=True) for name, rows in batch.items()}
        precision = getattr(torch, self.recipe.precision)
        self.task.network.train()
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            losses = self.parallel(batch)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(self._total(losses)).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.task.network.parameters(), _LARGEST_GRADIENT)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.schedule.step()
        self._update_average()
        self.step += 1
        losses = self.worker.mean(losses.detach())
        self.adaptive.observe(self._terms(losses))
        self.journal.add(losses)
        return losses

    def _terms(self, losses: Tensor) -> Tensor:
        """(C,) weighted sum of the terms of a loss table (4, C)."""
        weights = [getattr(self.task.term_weights, term) for term in TERMS]
        return torch.tensor(weights, device=losses.device) @ losses

    def _total(self, losses: Tensor) -> Tensor:
        return (self._terms(losses) * self.adaptive.columns().to(losses.device)).mean()

    @torch.no_grad()
    def _update_average(self) -> None:
        past = min(self.recipe.ema, (self.step + 1) / (self.step + 10))
        for mean, now in zip(
            self.average.parameters(), self.task.network.parameters(), strict=True
        ):
            mean.lerp_(now, 1 - past)

    def judge(self) -> dict[str, float]:
        """Scores of the averaged network on the tuning clips, noted beside the losses."""
        scores = self.task.score(self.average)
        self.journal.close_interval(self.step, scores, self.adaptive)
        return scores

    def state(self) -> dict[str, Any]:
        """Everything that decides the rest of the run."""
        return {
            **self.task.facts(),
            "recipe": asdict(self.recipe),
            "step": self.step,
            "best_score": self.best_score,
            "network": self.task.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "adaptive": self.adaptive.state(),
            "journal": self.journal.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Inverse of `state`. Raises `InvalidInputError` for a checkpoint of another recipe."""
        if state["recipe"] != asdict(self.recipe):
            odd = {k for k, v in asdict(self.recipe).items() if state["recipe"].get(k) != v}
            names = ", ".join(sorted(odd)) or "its fields"
            raise InvalidInputError("checkpoint", f"made with another recipe ({names}): remove it")
        self.step, self.best_score = state["step"], state["best_score"]
        self.task.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.adaptive.restore(state["adaptive"])
        self.journal.restore(state["journal"])


def _optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimiser == "adan":
        return Adan(network.parameters(), rate, weight_decay=decay)
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(network.parameters(), rate, betas=(0.9, 0.98), weight_decay=decay)
    raise InvalidInputError("optimiser", f"{recipe.optimiser!r}; allowed: adamw, adan")


Report = Callable[[Trainer, dict[str, float]], None]
"""Called after every judgement: curves, sample frames."""


def train(
    task: Task,
    folder: Path,
    recipe: Recipe,
    worker: Worker | None = None,
    judge_every: int = 250,
    report: Report | None = None,
) -> Trainer:
    """Run a recipe to its end in ``folder``; goes on from the checkpoint there, if there is one.

    `best.pt` holds the weights with the best lip-sync score so far (paper 3.2.2).
    """
    trainer = Trainer(task, recipe, worker)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / LAST).exists():
        trainer.restore(torch.load(folder / LAST, weights_only=True))
    leads = trainer.worker.leads
    with tqdm(
        total=recipe.steps, initial=trainer.step, desc="train", unit="step", disable=not leads
    ) as progress:
        while trainer.step < recipe.steps:
            trainer.train_step()
            progress.update()
            if trainer.step % judge_every and trainer.step < recipe.steps:
                continue
            if leads:
                progress.set_postfix(_judge(trainer, folder, report))
    return trainer


def _judge(trainer: Trainer, folder: Path, report: Report | None) -> dict[str, float]:
    scores = trainer.judge()
    better = scores["lip_sync"] >= trainer.best_score
    trainer.best_score = max(trainer.best_score, scores["lip_sync"])
    if better:
        save(trainer, folder / BEST)
    save(trainer, folder / LAST)
    if report is not None:
        report(trainer, scores)
    return scores


def save(trainer: Trainer, checkpoint: Path) -> None:
    """Write a checkpoint; a crash on the way leaves the old one."""
    part = checkpoint.with_suffix(".part")
    torch.save(trainer.state(), part)
    part.rename(checkpoint)
