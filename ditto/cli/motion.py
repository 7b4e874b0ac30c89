"""`ditto motion`: pictures of every control, and motion tracks from videos."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.commands import Commands, add_action, add_actions, add_command
from ditto.cli.pack_options import add_pack_options, chosen_pack_options

_EXAMPLES = """\
Examples:
  ditto motion sheet face.jpg -o controls/      a picture of every named control, and one of all
  ditto motion sheet face.jpg -o probe/ --dimensions --pack ditto --weights ~/ditto-weights
                                                the 63 expression numbers, one by one
  ditto motion extract talk.mp4 -o talk.npz     a track that drives any portrait
  ditto motion extract talk.mp4 -o talk.npz --pack ditto --weights ~/ditto-weights
                                                the same by the released motion extractor
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto motion` to the command line."""
    parser = add_command(
        commands,
        "motion",
        about="see what the controls do; take motion from a video",
        description="Pictures of what the controls do, and motion tracks from videos.",
        examples=_EXAMPLES,
    )
    actions = add_actions(parser)
    sheet = add_action(actions, "sheet", _sheet, "render a picture of every control")
    sheet.add_argument("portrait", type=Path, metavar="PORTRAIT", help="picture file")
    sheet.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the pictures go"
    )
    _add_pack(sheet)
    sheet.add_argument(
        "--dimensions", action="store_true", help="the 63 expression numbers, not the controls"
    )
    sheet.add_argument(
        "--side", type=int, default=192, help="of one picture, in pixels (default: 192)"
    )
    extract = add_action(actions, "extract", _extract, "write the motion of a face in a video")
    extract.add_argument("video", type=Path, metavar="VIDEO", help="one face, seen from the front")
    extract.add_argument(
        "-o", "--output", type=Path, required=True, metavar="TRACK.npz", help="the track to write"
    )
    _add_pack(extract)


def _add_pack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pack", default="starter", help="default: starter")
    add_pack_options(parser)


def _sheet(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.media.image import decode_portrait
    from ditto.packs.contact_sheet import (
        control_sheet,
        dimension_sheet,
        emotion_sheet,
        write_sheet,
    )
    from ditto.stages import CorrectsGaze

    pack = packs.load(options.pack, chosen_pack_options(options))
    renderer = pack.renderer()
    image = decode_portrait(options.portrait.read_bytes())
    make = dimension_sheet if options.dimensions else control_sheet
    generator = pack.motion_generator()
    gaze = generator.gaze_matrix if isinstance(generator, CorrectsGaze) else None
    portrait = renderer.prepare(image)
    probes = [*make(renderer, portrait, gaze)]
    if not options.dimensions:
        probes += emotion_sheet(renderer, portrait, pack.audio_encoder(), generator)
    files = write_sheet(probes, options.output, options.side)
    print(f"{options.output}: {len(files)} pictures")
    return 0


def _extract(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.errors import UnsupportedError
    from ditto.media.pictures import pictures_of
    from ditto.motion.layout import FPS
    from ditto.motion.track import save_track
    from ditto.stages import ExtractsMotion

    renderer = packs.load(options.pack, chosen_pack_options(options)).renderer()
    if not isinstance(renderer, ExtractsMotion):
        raise UnsupportedError(f"--pack: {options.pack} does not read motion from videos")
    frames = renderer.extract_motion(pictures_of(options.video, FPS))
    save_track(options.output, frames)
    print(f"{options.output}: {len(frames)} frames")
    return 0
