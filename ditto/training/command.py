"""What `ditto train` does, once its command line is read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import ditto.packs
from ditto.errors import InvalidInputError
from ditto.media.image import decode_portrait
from ditto.models.checkpoint import write_state
from ditto.training import ablation, loop, store, workers
from ditto.training.dataset import Clip
from ditto.training.evaluation import report
from ditto.training.evaluation.real_clips import load_clips
from ditto.training.export import export
from ditto.training.journal import TensorBoard, draw_curves
from ditto.training.lmdm_task import LmdmTask
from ditto.training.recipe import ABLATIONS, FULL_SIZE, Recipe
from ditto.training.samples import Sampler
from ditto.training.starter_task import StarterTask
from ditto.training.task import Task

_FIELDS = ("steps", "batch", "seed", "optimiser", "learning_rate", "precision")


def train(options: argparse.Namespace) -> None:
    """One run: train, draw, export."""
    recipe = _recipe(options)
    if options.model == "starter":
        torch.set_num_threads(1)  # small matrices; and the same numbers on any machine
    task = _task(options, recipe)
    folder: Path = options.run_folder
    with workers.join(options.device) as worker:
        report_to = _Report(folder, options) if worker.leads else None
        loop.train(task, folder, recipe, worker, options.judge_every, report_to)
        if worker.leads and options.export:
            best = torch.load(folder / loop.BEST, weights_only=True)
            write_model(options.model, best, options.export)
            if options.model == "starter":
                _judge_export(options)


def write_model(model: str, checkpoint: dict[str, Any], path: Path) -> None:
    """The averaged weights as a pack serves them: ONNX for the starter, the released layout for
    the `ditto` pack."""
    if model == "lmdm":
        write_state("lmdm", checkpoint["average"], path)
    else:
        export(checkpoint, path)


def _judge_export(options: argparse.Namespace) -> None:
    judges = _judges(options, store.read_clips(options.data))
    result = json.dumps(ablation.judge(options.export, judges), indent=1, default=float)
    (options.run_folder / "report.json").write_text(result, "utf-8")
    print(result)


def ablate(options: argparse.Namespace) -> None:
    """The named ablations, each with every seed."""
    names = list(ABLATIONS) if options.ablation == "all" else options.ablation.split(",")
    if unknown := set(names) - ABLATIONS.keys():
        raise InvalidInputError("ablation", f"{sorted(unknown)}; allowed: {', '.join(ABLATIONS)}")
    clips = store.read_clips(options.data)
    options.run_folder.mkdir(parents=True, exist_ok=True)
    judges = _judges(options, clips)
    torch.set_num_threads(1)
    length = {name: getattr(options, name) for name in ("steps", "batch")}
    length = {name: value for name, value in length.items() if value is not None}
    ablation.run_all(names, options.seeds, length, clips, judges, options.run_folder)


def _judges(options: argparse.Namespace, clips: list[Clip]) -> ablation.Judges:
    """Test voices, and the user's videos and sounds where given."""
    landmarker = ditto.packs.load("starter").asset("face_landmarker")
    kept: Path = options.run_folder / "clips"
    return ablation.Judges(
        voices=_split(clips, "test"),
        clips=load_clips(options.videos, kept, landmarker) if options.videos else [],
        sounds=report.read_sounds(options.sounds) if options.sounds else {},
    )


def _recipe(options: argparse.Namespace) -> Recipe:
    base = FULL_SIZE if options.model == "lmdm" else Recipe()
    given = {name: getattr(options, name) for name in _FIELDS}
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def _task(options: argparse.Namespace, recipe: Recipe) -> Task:
    space = store.read_index(options.data)["space"]
    clips = store.read_clips(options.data)
    training, tuning = _split(clips, "train"), _split(clips, "tuning")
    if options.model == "lmdm":
        return LmdmTask(training, tuning, recipe)
    if space["motion"] != "starter":
        raise InvalidInputError("data", f"space {space['motion']}; the starter's is needed")
    return StarterTask(training, tuning, recipe)


def _split(clips: Sequence[Clip], split: str) -> list[Clip]:
    found = [clip for clip in clips if clip.split == split]
    if not found:
        raise InvalidInputError("data", f"has no {split} clip; add more with `ditto data build`")
    return found


class _Report:
    """Curves, events and sample frames after every judgement."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder = folder
        self._board = TensorBoard(folder / "tensorboard")
        self._sampler: Sampler | None = None
        if options.portrait.is_file():
            portrait = decode_portrait(options.portrait.read_bytes())
            self._sampler = Sampler(ditto.packs.load("starter").renderer(), portrait)

    def __call__(self, trainer: loop.Trainer, _: dict[str, float]) -> None:
        rows = trainer.journal.rows
        draw_curves(rows, self._folder / "curves.png", _title(trainer.recipe))
        frames: NDArray[np.uint8] | None = None
        if self._sampler is not None:
            frames = self._sampler.frames(trainer.task.sample(trainer.average))
        self._board.write(rows[-1], frames)


def _title(recipe: Recipe) -> str:
    changed = {k: v for k, v in asdict(recipe).items() if v != getattr(Recipe(), k)}
    told: dict[str, Any] = {"seed": recipe.seed, "steps": recipe.steps, **changed}
    return ", ".join(f"{name} {value}" for name, value in told.items())
