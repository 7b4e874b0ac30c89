"""`ditto eval`: how well a pack talks, measured through a whole cluster on real talking videos."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ditto.cli.access_options import add_access_options
from ditto.cli.commands import Commands, add_action, add_actions, add_command
from ditto.cli.pack_options import add_pack_options

_EXAMPLES = """\
Examples:
  ditto eval clips VIDEOS -o report               talking-*.mp4 of a folder; report/report.html
  ditto eval clips VIDEOS --sounds SOUNDS --texts texts.json -o report
  ditto eval clips VIDEOS --server gpu7:50051 -o report
  ditto eval talk9 FOLDER -o talk9                the paper's Table 1, for those who have the data
  ditto eval hdtf FOLDER -o hdtf                  its Table 2
  ditto eval profiles FACE.jpg SPEECH.wav         its Table 6: offline and online, head and full
  ditto eval steps VIDEOS                         sampling steps against quality and time
  ditto eval long SPEECH.wav                      does a call of ten minutes drift?
  ditto eval ablation FOLDER                      its Table 4, from the results of trained variants
  ditto eval study A B -o study.html              a blind comparison of two folders of videos

What is measured and how is told in docs/quality.md. A cut run goes on where it stopped.
"""
_EXAMPLE_PORTRAIT = Path("examples/astronaut.jpg")


def add_parser(commands: Commands) -> None:
    """Add `ditto eval` to the command line."""
    parser = add_command(
        commands,
        "eval",
        about="measure how well a pack talks",
        description="Measures talking faces against real ones, by the paper's measures and more.",
        examples=_EXAMPLES,
    )
    actions = add_actions(parser)
    clips = add_action(
        actions, "clips", _clips, "real talking videos against what the cluster makes"
    )
    _add_judging(clips)
    clips.add_argument("--pattern", default="talking-*", help="names of clips (default: talking-*)")
    for name in ("talk9", "hdtf"):
        _add_judging(add_action(actions, name, _protocol(name), f"the paper's protocol on {name}"))
    _add_steps(add_action(actions, "steps", _steps, "sampling steps against quality and time"))
    _add_long(add_action(actions, "long", _long, "whether a long call drifts"))
    _add_profiles(add_action(actions, "profiles", _profiles, "offline and online, head and full"))
    ablation = add_action(actions, "ablation", _ablation, "the table of trained variants")
    ablation.add_argument("folder", type=Path, metavar="FOLDER", help="their results, *.json")
    _add_study(add_action(actions, "study", _study, "a page for a blind comparison by people"))


def _add_judging(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("videos", type=Path, metavar="VIDEOS", help="folder of talking videos")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="report and its memory")
    _add_cluster(parser)
    add("--sounds", type=Path, metavar="FOLDER", help="WAV files; audio-*.wav hold no speech")
    add(
        "--portrait",
        type=Path,
        default=_EXAMPLE_PORTRAIT,
        help="who speaks the sounds (default: the example)",
    )
    add("--texts", type=Path, metavar="FILE.json", help="what is said, by name, for p, b and m")
    add("--seed", type=int, default=0, help="of the motion (default: 0)")
    add("--steps", type=int, metavar="N", help="sampling steps (default: the pack's)")
    add("--inception", type=Path, metavar="FILE.pt", help="TorchScript Inception, for FID")
    add("--i3d", type=Path, metavar="FILE.pt", help="TorchScript I3D, for FVD")
    add("--syncnet", type=Path, metavar="FILE", help="SyncNet weights, for Sync-C and Sync-D")


def _add_steps(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("videos", type=Path, metavar="VIDEOS", help="folder of talking-* videos")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="as of `eval clips`")
    add("--texts", type=Path, metavar="FILE.json", help="what is said, by name")
    add("--steps", default="1,2,4,5,10,50", metavar="N,N,...", help="default: 1,2,4,5,10,50")
    add("--samples", type=int, default=4, help="seeds, and how many make a mean (default: 4)")


def _add_long(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("speech", type=Path, metavar="SPEECH", help="recording, repeated as often as it takes")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="report and its memory")
    add("--minutes", type=int, default=10, help="length of the call (default: 10)")
    add("--seed", type=int, default=0, help="of the motion (default: 0)")


def _add_profiles(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("portrait", type=Path, metavar="PORTRAIT", help="picture file")
    add("speech", type=Path, metavar="SPEECH", help="recording of the speech")
    _add_cluster(parser)


def _add_study(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folders", type=Path, nargs="*", metavar="FOLDER", help="of equally named videos")
    add("-o", "--output", type=Path, metavar="PAGE.html", help="the page to write")
    add("--results", type=Path, nargs="+", metavar="FILE.json", help="saved answers: the table")


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--server", metavar="HOST:PORT", help="gateway (default: a cluster started here)")
    add_access_options(parser)
    add("--pack", default="starter", metavar="NAME", help="model pack (default: starter)")
    add_pack_options(parser)


def _steps(options: argparse.Namespace) -> int:
    from ditto.cli import eval_motion

    return eval_motion.steps(options)


def _long(options: argparse.Namespace) -> int:
    from ditto.cli import eval_motion

    return eval_motion.long(options)


def _profiles(options: argparse.Namespace) -> int:
    from ditto.cli import eval_run

    return eval_run.measure_profiles(options)


def _ablation(options: argparse.Namespace) -> int:
    from ditto.cli import eval_tables

    return eval_tables.ablation(options)


def _study(options: argparse.Namespace) -> int:
    from ditto.cli import eval_tables

    return eval_tables.study(options)


def _clips(options: argparse.Namespace) -> int:
    from ditto.cli import eval_run

    return eval_run.judge_clips(options)


def _protocol(name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from ditto.cli import eval_run

        return eval_run.judge_protocol(options, name)

    return run
