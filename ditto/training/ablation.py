"""Training runs of the recipe with one thing changed, each judged as the whole recipe is (Table 4).

One folder a run and one JSON file beside it. Whatever exists is kept, so that the set can be
stopped and goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ditto.packs
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from ditto.training import loop, recipe
from ditto.training.dataset import Clip
from ditto.training.evaluation import report
from ditto.training.evaluation.real_clips import RealClip
from ditto.training.export import export
from ditto.training.starter_task import StarterTask
from ditto.training.workers import Worker

SCHEMA = 1
_REAL_SAMPLES = 3
"""Seeds a real clip."""


@dataclass(frozen=True)
class Judges:
    """What every run is measured on; none of it trains or chooses a checkpoint."""

    voices: list[Clip]
    """Test takes of voices that training never heard."""
    clips: list[RealClip]
    sounds: dict[str, np.ndarray]
    """Recordings without speech."""


def run_all(
    names: Sequence[str],
    seeds: int,
    length: Mapping[str, Any],
    clips: list[Clip],
    judges: Judges,
    folder: Path,
) -> None:
    """Every ablation with every seed that has no result yet; all seeds 0 first.

    length: fields of the recipes that set how long they train, where not as `recipe.SHORT`.
    """
    for seed in range(seeds):
        for name in names:
            result = folder / f"{name}-{seed}.json"
            if not result.exists():
                changed = replace(recipe.ABLATIONS[name], seed=seed, **length)
                run(name, changed, clips, judges, folder)


def run(
    name: str, changed: recipe.Recipe, clips: list[Clip], judges: Judges, folder: Path
) -> dict[str, Any]:
    """Train, export and judge one recipe; writes and gives the result."""
    place = folder / f"{name}-{changed.seed}"
    training = [clip for clip in clips if clip.split == "train"]
    tuning = [clip for clip in clips if clip.split == "tuning"]
    started = time.process_time()
    trainer = loop.train(
        StarterTask(training, tuning, changed),
        place,
        changed,
        Worker(torch.device("cpu")),
        judge_every=max(1, changed.steps // 3),
    )
    seconds = time.process_time() - started
    best = torch.load(place / loop.BEST, weights_only=True)
    export(best, place / "motion_dit.onnx")
    result = {
        "schema": SCHEMA,
        "name": name,
        "seed": changed.seed,
        "steps": changed.steps,
        "recipe": asdict(changed),
        "cpu_seconds": seconds,
        "best_step": best["step"],
        "tuning_lip_sync": best["best_score"],
        "curves": trainer.journal.rows,
        **judge(place / "motion_dit.onnx", judges),
    }
    part = folder / f"{name}-{changed.seed}.part"
    part.write_text(json.dumps(result, indent=1, default=float), "utf-8")
    part.rename(folder / f"{name}-{changed.seed}.json")
    return result


def judge(model: Path, judges: Judges) -> dict[str, Any]:
    """The reports of one exported model."""
    generator = StarterMotionGenerator(model)
    encoder = ditto.packs.load("starter").audio_encoder()
    speech = np.concatenate([clip.audio for clip in judges.voices]).astype(np.float32)
    reports: dict[str, Callable[[], Any]] = {
        "held_out_voices": lambda: report.held_out_voices(generator, judges.voices),
        "statistics": lambda: report.statistics(generator, np.tile(speech, (4, 1))),
        "nonspeech_closed": lambda: report.nonspeech(encoder, generator, judges.sounds),
    }
    if judges.clips:
        reports["real_speech"] = lambda: report.real_speech(
            encoder, generator, judges.clips, _REAL_SAMPLES
        )
    return {name: make() for name, make in reports.items()}
