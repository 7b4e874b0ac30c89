"""What `ditto eval steps` and `ditto eval long` do: the starter's motion alone, in this process."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ditto import packs
from ditto.cli.speech_file import read_speech
from ditto.errors import InvalidInputError
from ditto.evaluation.clips import talking_videos
from ditto.evaluation.listening import Aligner, Ear
from ditto.evaluation.measured import Observer
from ditto.evaluation.report_text import table
from ditto.training.evaluation import long_run, sampling_steps
from ditto.training.evaluation.sampling_steps import HeardClip

Array = NDArray[np.float32]


def steps(options: argparse.Namespace) -> int:
    """Print the table of sampling steps, and write it as JSON."""
    pack, ear = packs.load("starter"), Ear()
    memory = options.output / "measured"
    observer = Observer(pack.asset("face_landmarker"), memory)
    texts = json.loads(options.texts.read_text("utf-8")) if options.texts else {}
    aligner = Aligner(ear, texts, memory)
    clips = []
    for video in tqdm(talking_videos(options.videos, "talking-*"), desc="clips", disable=None):
        real = observer.of_file(video)
        phones, _ = aligner(video, real.samples)
        clips.append(HeardClip(ear.features(real.samples), real.samples, real.lip_gap, phones))
    if not clips:
        raise InvalidInputError("VIDEOS", f"no video in {options.videos} is called talking-*")
    counts = [int(part) for part in options.steps.split(",")]
    if options.samples < 2:
        raise InvalidInputError("--samples", "two or more, to tell samples from their mean")
    rows = sampling_steps.table(pack.motion_generator(), clips, options.samples, counts)
    _write(options.output / "steps.json", [asdict(row) for row in rows])
    quality = ("r", "SD / real", "AUC", "sealed", "seam", "head", "alike")
    head = ("steps", "samples", *quality, "CPU ms")
    print(table(head, [_cells(row) for row in rows]))
    return 0


def long(options: argparse.Namespace) -> int:
    """Print minute 1 and the last one for each steering, and write all minutes as JSON."""
    pack, ear = packs.load("starter"), Ear()
    heard = ear.features(read_speech(options.speech).samples)
    size = options.minutes * long_run.FRAMES_A_MINUTE
    speech = np.tile(heard, (-(-size // len(heard)), 1))[:size]
    found: dict[str, Any] = {}
    rows = []
    for steering in tqdm(long_run.STEERINGS, desc="steering", disable=None):
        every = long_run.minutes(pack.weights("motion_dit.onnx"), speech, steering, options.seed)
        found[steering] = {
            "minutes": [asdict(minute) for minute in every],
            "drift": long_run.drift(every),
        }
        for number in (0, len(every) - 1):
            minute = every[number]
            values = [f"{v:.2f} ({minute.spread[name]:.2f})" for name, v in minute.mean.items()]
            blinks, speed = f"{minute.blinks:.0f}", f"{minute.head_speed:.1f}"
            rows.append((steering, str(number + 1), *values, blinks, speed))
    _write(options.output / "long.json", found)
    names = list(found["periodic"]["drift"])
    print(table(("m_ref", "minute", *names, "blinks", "head speed p95"), rows))
    return 0


def _cells(row: sampling_steps.StepsRow) -> tuple[str, ...]:
    kind = "single" if row.samples == 1 else f"mean of {row.samples}"
    figures = (row.r, row.sd_ratio, row.auc, row.sealed, row.seam)
    rest = (f"{row.head_speed:.1f}", f"{row.alike:.2f}", f"{row.cpu_ms:.1f}")
    return (str(row.steps), kind, *(f"{value:.3f}" for value in figures), *rest)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, default=float) + "\n", "utf-8")
