"""`ditto motion`: pictures of every control, and motion tracks from videos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_EXAMPLES = """\
Examples:
  ditto motion sheet face.jpg -o controls/      a picture of every named control, and one of all
  ditto motion sheet face.jpg -o probe/ --dimensions --pack ditto
                                                the 63 expression numbers, one by one
  ditto motion extract talk.mp4 -o talk.npz     a track that drives any portrait
"""


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add `ditto motion` to the command line."""
    parser = commands.add_parser(
        "motion",
        help="see what the controls do; take motion from a video",
        description="Pictures of what the controls do, and motion tracks from videos.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    sheet = actions.add_parser("sheet", help="render a picture of every control")
    sheet.add_argument("portrait", type=Path, metavar="PORTRAIT")
    sheet.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    sheet.add_argument("--pack", default="starter")
    sheet.add_argument(
        "--dimensions", action="store_true", help="the 63 expression numbers, not the controls"
    )
    sheet.add_argument("--side", type=int, default=192, help="of one picture, in pixels")
    sheet.set_defaults(run=_sheet)
    extract = actions.add_parser("extract", help="write the motion of a face in a video")
    extract.add_argument("video", type=Path, metavar="VIDEO")
    extract.add_argument("-o", "--output", type=Path, required=True, metavar="TRACK.npz")
    extract.set_defaults(run=_extract)


def _sheet(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.media.image import decode_portrait
    from ditto.packs.contact_sheet import control_sheet, dimension_sheet, write_sheet
    from ditto.stages import CorrectsGaze

    renderer = packs.load(options.pack).renderer()
    image = decode_portrait(options.portrait.read_bytes())
    make = dimension_sheet if options.dimensions else control_sheet
    generator = packs.load(options.pack).motion_generator()
    gaze = generator.gaze_matrix if isinstance(generator, CorrectsGaze) else None
    probes = make(renderer, renderer.prepare(image), gaze)
    files = write_sheet(probes, options.output, options.side)
    print(f"{options.output}: {len(files)} pictures")
    return 0


def _extract(options: argparse.Namespace) -> int:
    from ditto import packs
    from ditto.motion.track import save_track
    from ditto.packs.starter.extract import extract_motion

    frames = extract_motion(options.video, packs.load("starter").asset("face_landmarker"))
    save_track(options.output, frames)
    print(f"{options.output}: {len(frames)} frames")
    return 0
