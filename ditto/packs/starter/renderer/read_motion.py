"""The controls that one motion frame asks for, whichever pack wrote it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError
from ditto.motion import layout, semantics
from ditto.packs.starter.renderer.curves import smoothstep

Array = NDArray[np.float32]

_FOREIGN = (0.004, 0.02)
"""Largest expression delta that the table cannot explain: up to the first the motion was written
with the table, from the second on it comes from extracted keypoints."""
_LIPS_FOLLOW_JAW = 0.5
"""Extracted motion has no lip gap of its own: keypoint 19 opens jaw and lips together."""


def read_motion(frame: Array) -> tuple[layout.Motion, Array]:
    """A frame (265,) as one-frame `Motion` and control amounts (C,).

    Raises `InvalidInputError` for another shape, or numbers that are not finite.
    """
    if frame.shape != (layout.MOTION_DIM,):
        raise InvalidInputError("motion", f"shape {frame.shape}; allowed: ({layout.MOTION_DIM},)")
    if not np.isfinite(frame).all():
        raise InvalidInputError("motion", "holds numbers that are not finite")
    motion = layout.unpack(frame[None])
    controls = semantics.decode(motion.exp[0])
    unexplained = float(np.abs(motion.exp[0] - semantics.encode(controls)).max())
    foreign = float(smoothstep(*_FOREIGN, unexplained))
    gap, jaw = semantics.control_index("lipGap"), semantics.control_index("jawOpen")
    controls[gap] = max(controls[gap], foreign * _LIPS_FOLLOW_JAW * controls[jaw])
    return motion, controls
