"""`ditto fit-gaze`: the gaze correction K of a recorded template (paper 3.2.3)."""

from __future__ import annotations

import argparse
from pathlib import Path

from ditto.cli.commands import Commands, add_command

_EXAMPLES = """\
Examples:
  ditto motion extract template.mp4 -o template.npz
  ditto fit-gaze template.npz -o gaze.npz
  ditto up --set 'motion_dit.pack_options={"gaze": "gaze.npz"}'     use it

In the recording, somebody turns the head smoothly to all sides, up and down, keeps the eyes on the
camera and the face still, and begins looking straight ahead. Ten seconds are plenty.
"""


def add_parser(commands: Commands) -> None:
    """Add `ditto fit-gaze` to the command line."""
    parser = add_command(
        commands,
        "fit-gaze",
        about="fit the gaze correction to a template",
        description="Fits the gaze correction K(R) to a motion track.",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "template", type=Path, metavar="TRACK.npz", help="of `ditto motion extract`"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="GAZE.npz",
        help="the correction to write",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fit and write."""
    import numpy as np

    from ditto.motion.gaze import fit, save_matrix
    from ditto.motion.head_control import head_turn
    from ditto.motion.layout import EXPRESSION
    from ditto.motion.track import load_track

    template = load_track(options.template)
    matrix = fit(template)
    save_matrix(options.output, matrix)
    change = template[:, EXPRESSION] - template[0, EXPRESSION]
    moving = matrix.any(axis=1)
    left = change[:, moving] - (head_turn(template, template[0]) @ matrix.T)[:, moving]
    explained = 1 - float(np.square(left).sum() / max(np.square(change[:, moving]).sum(), 1e-12))
    print(
        f"{options.output}: explains {explained:.1%} of the eyes' motion in {len(template)} frames"
    )
    return 0
