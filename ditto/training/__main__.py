"""`python -m ditto.training`: data, train, export and eval of the starter's motion model."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import ditto.packs
from ditto.packs.starter.motion_generator import StarterMotionGenerator
from ditto.training import dataset, features, loop
from ditto.training.evaluation import report
from ditto.training.evaluation.real_clips import load_clips
from ditto.training.export import export
from ditto.training.speech import takes


def build_data(arguments: argparse.Namespace) -> None:
    paths = takes.build(arguments.folder / "takes", arguments.scale)
    encoder = ditto.packs.load("starter").audio_encoder()
    features.build(paths, arguments.folder / "features", encoder)


def train(arguments: argparse.Namespace) -> None:
    clips = [clip for clip in dataset.load(arguments.folder) if not clip.held_out]
    recipe = loop.Recipe(steps=arguments.steps, seed=arguments.seed)
    loop.train(clips, arguments.checkpoint, recipe)


def write_onnx(arguments: argparse.Namespace) -> None:
    export(torch.load(arguments.checkpoint, weights_only=True), arguments.onnx)


def evaluate(arguments: argparse.Namespace) -> None:
    pack = ditto.packs.load("starter")
    encoder = pack.audio_encoder()
    generator = (
        StarterMotionGenerator(arguments.onnx) if arguments.onnx else pack.motion_generator()
    )
    result: dict[str, report.Report] = {}
    held_out = [clip for clip in dataset.load(arguments.folder) if clip.held_out]
    if held_out:
        result["held_out_voices"] = report.held_out_voices(generator, held_out)
        speech = np.concatenate([clip.audio for clip in held_out]).astype(np.float32)
        result["statistics"] = report.statistics(generator, np.tile(speech, (4, 1)))
    if arguments.videos:
        clips = load_clips(
            arguments.videos, arguments.folder / "clips", pack.asset("face_landmarker")
        )
        result["real_speech"] = report.real_speech(encoder, generator, clips, arguments.samples)
    if arguments.sounds:
        sounds = report.read_sounds(arguments.sounds)
        result["nonspeech_closed"] = report.nonspeech(encoder, generator, sounds)
    print(json.dumps(result, indent=2, default=float))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ditto.training", description=__doc__)
    commands = parser.add_subparsers(required=True)

    data = commands.add_parser("data", help="synthesise speech and compute its features; resumable")
    data.add_argument("folder", type=Path, help="where takes and features go, about 1 GB")
    data.add_argument("--scale", type=float, default=1.0, help="factor on the recipe's minutes")
    data.set_defaults(run=build_data)

    training = commands.add_parser("train", help="train on one CPU core; resumable")
    training.add_argument("folder", type=Path, help="the data folder")
    training.add_argument("checkpoint", type=Path, help="saved on the way; resumed if it exists")
    training.add_argument("--steps", type=int, default=loop.Recipe.steps)
    training.add_argument("--seed", type=int, default=loop.Recipe.seed)
    training.set_defaults(run=train)

    exporting = commands.add_parser("export", help="write the ONNX file that the pack serves")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("onnx", type=Path)
    exporting.set_defaults(run=write_onnx)

    judging = commands.add_parser("eval", help="judge a model; prints JSON")
    judging.add_argument("folder", type=Path, help="the data folder, for its held-out voices")
    judging.add_argument("--onnx", type=Path, help="default: the model of the starter pack")
    judging.add_argument("--videos", type=Path, help="folder of talking-*.mp4 at 25 fps")
    judging.add_argument("--sounds", type=Path, help="folder of audio-*.wav without speech")
    judging.add_argument("--samples", type=int, default=3, help="seeds a clip")
    judging.set_defaults(run=evaluate)
    return parser


if __name__ == "__main__":
    chosen = _parser().parse_args()
    chosen.run(chosen)
