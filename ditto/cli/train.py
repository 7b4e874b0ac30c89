"""`ditto train`: train a motion model, run ablations, export what the pack serves."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.commands import Commands, add_command

_EXAMPLES = """\
Examples:
  ditto train build/data build/run                the starter's model: 13 minutes on one core
  ditto train build/data build/run --export model.onnx      then the file that the pack serves
  ditto train build/full build/lmdm --model lmdm --export lmdm_v0.4_hubert.pth
  torchrun --nproc-per-node 8 -m ditto.cli train build/full build/lmdm --model lmdm
  ditto train build/data build/ablations --ablation full,no-flip --videos VIDEOS

A run's folder holds last.pt (where it goes on), best.pt (the best lip-sync score on the tuning
clips), curves.png, TensorBoard events and frames. Data comes from `ditto data build`.
"""
_EXAMPLE_PORTRAIT = Path("examples/astronaut.jpg")


def add_parser(commands: Commands) -> None:
    """Add `ditto train` to the command line."""
    parser = add_command(
        commands,
        "train",
        about="train a motion model",
        description="Trains a motion model by the paper's recipe; goes on where it was stopped.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("data", type=Path, metavar="DATA", help="folder of `ditto data build`")
    add("run_folder", type=Path, metavar="RUN", help="folder of the run")
    add("--model", choices=("starter", "lmdm"), default="starter", help="default: starter")
    add("--steps", type=int, help="training steps (default: 2000; lmdm 200000)")
    add("--batch", type=int, help="windows a step, over all processes (default: 32; lmdm 1024)")
    add("--seed", type=int, default=0, help="of weights, data order and noise (default: 0)")
    add("--optimiser", choices=("adamw", "adan"), help="default: adamw; lmdm adan")
    add("--learning-rate", type=float, help="default: 1e-3; lmdm 1e-4")
    add(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="of the network (default: float32)",
    )
    add("--device", default="auto", help="cpu, cuda, or auto (default)")
    add(
        "--judge-every",
        type=int,
        default=250,
        metavar="STEPS",
        help="scores and checkpoints (default: 250)",
    )
    add(
        "--portrait",
        type=Path,
        default=_EXAMPLE_PORTRAIT,
        help="face of the sample frames (default: the example)",
    )
    add("--export", type=Path, metavar="FILE", help="write the best as the pack serves it")
    add("--videos", type=Path, help="talking-*.mp4 to judge on")
    add("--sounds", type=Path, help="audio-*.wav without speech to judge on")
    ablations = parser.add_argument_group("ablations (starter)")
    ablations.add_argument("--ablation", metavar="NAMES", help="a list of names, or all")
    ablations.add_argument("--seeds", type=int, default=3, help="runs of each (default: 3)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train as asked."""
    from ditto.training import command

    if options.ablation:
        command.ablate(options)
    else:
        command.train(options)
    return 0
