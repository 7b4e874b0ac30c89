"""`ditto data`: build, check and look at training data."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ditto.cli.commands import Commands, add_action, add_actions, add_command
from ditto.cli.pack_options import add_pack_options, chosen_pack_options

if TYPE_CHECKING:
    from ditto.stages import Image

_EXAMPLES = """\
Examples:
  ditto data build build/data                      synthesised speech, about 6 minutes on one core
  ditto data build build/faces --videos VIDEOS     talking videos, in folders named by emotion
  ditto data build build/faces --videos VIDEOS --emotions emotions.csv
  ditto data build build/full --videos VIDEOS --pack ditto
  ditto data check build/data
  ditto data show build/data -o sample.png

Every command goes on where it was stopped. docs/training.md tells the format.
"""
_EXAMPLE_PORTRAIT = Path("examples/astronaut.jpg")


def add_parser(commands: Commands) -> None:
    """Add `ditto data` to the command line."""
    parser = add_command(
        commands,
        "data",
        about="build, check and look at training data",
        description="Training data from synthesised speech or from talking videos.",
        examples=_EXAMPLES,
    )
    actions = add_actions(parser)
    build = add_action(actions, "build", _build, "add what is missing to a data folder")
    build.add_argument("folder", type=Path, metavar="FOLDER", help="where the data goes")
    build.add_argument(
        "--scale", type=float, default=1.0, help="factor on the minutes of speech (default: 1)"
    )
    build.add_argument("--videos", type=Path, help="folder of talking videos, in place of speech")
    build.add_argument(
        "--pack", default="starter", help="whose encoder and motion space (default: starter)"
    )
    add_pack_options(build)
    emotion = build.add_mutually_exclusive_group()
    emotion.add_argument("--emotions", type=Path, metavar="CSV", help="video name, emotion")
    emotion.add_argument(
        "--classifier", metavar="MODULE:FUNCTION", help="pictures to an emotion's name"
    )
    check = add_action(actions, "check", _check, "counts, ranges, faults; fails if there are any")
    check.add_argument("folder", type=Path, metavar="FOLDER", help="as `data build` left it")
    show = add_action(actions, "show", _show, "draw one clip")
    show.add_argument("folder", type=Path, metavar="FOLDER", help="as `data build` left it")
    show.add_argument("clip", nargs="?", help="its name (default: the first)")
    show.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE.png", help="to write"
    )
    show.add_argument(
        "--portrait",
        type=Path,
        default=_EXAMPLE_PORTRAIT,
        help="whose face is drawn (default: the example)",
    )


def _build(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.training import cleaning, emotions, speech_data, videos
    from ditto.training.evaluation.face_track import FaceFollower

    starter = packs.load("starter")
    if options.videos is None:
        speech_data.build(options.folder, starter.audio_encoder(), options.scale)
        return 0
    pack = packs.load(options.pack, chosen_pack_options(options))
    sync = cleaning.SyncCheck(starter.audio_encoder(), starter.motion_generator())
    label: emotions.Label = emotions.by_folder
    if options.emotions:
        label = emotions.by_table(options.emotions)
    elif options.classifier:
        label = emotions.by_classifier(options.classifier)
    videos.build(
        options.folder,
        videos.find_videos(options.videos),
        pack.audio_encoder(),
        videos.StarterExtractor()
        if options.pack == "starter"
        else videos.PackExtractor(options.pack, pack.renderer()),
        FaceFollower(starter.asset("face_landmarker")),
        sync,
        label,
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    from ditto.training.data_check import check

    findings = check(options.folder)
    print("\n".join([*findings.summary, *(f"FAULT {fault}" for fault in findings.faults)]))
    return 1 if findings.faults else 0


def _show(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.media.image import decode_portrait
    from ditto.training import data_show
    from ditto.training.samples import Sampler

    clip = data_show.find_clip(options.folder, options.clip)
    faces: list[tuple[str, Sequence[Image]]] = []
    if pictures := data_show.source_faces(options.folder, clip):
        faces.append(("the video", pictures))
    if options.portrait.is_file():
        portrait = decode_portrait(options.portrait.read_bytes())
        renderer = packs.load("starter").renderer()
        sampler = Sampler(renderer, portrait)
        faces.append(("its motion", list(sampler.frames(data_show.frames_of(clip)))))
    data_show.draw(clip, options.output, faces)
    print(f"{options.output}: {clip.name}")
    return 0
