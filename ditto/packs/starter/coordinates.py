"""The coordinates in which the starter pack diffuses motion, and their way to 265-d frames.

Of the 265 numbers of a frame, 198 are pose bins and 27 never move: the model writes 17 control
amounts (`ditto.motion.semantics`), relative to a closed neutral face, and six head numbers relative
to the portrait's own pose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.motion import layout, semantics

Array = NDArray[np.float32]

CONTROLS = tuple(name for name in semantics.control_names() if name != "mouthShift")
POSE = ("pitch", "yaw", "roll", "tx", "ty", "scale")
NAMES = CONTROLS + POSE
"""Names of the C = 23 coordinates; angles in degrees, the rest in the motion frame's own units."""
COUNT = len(NAMES)
POSE_PART = slice(len(CONTROLS), COUNT)

MOUTH = tuple(i for i, name in enumerate(NAMES) if name.startswith(("jaw", "lip", "mouth")))

CONDITIONED = (
    "mouthSmile", "mouthFrown", "eyeBlinkRight", "eyeBlinkLeft", "eyeSquint", "gazeX", "gazeY",
    "browUp", "browDown", "cheekRaise",
)  # fmt: skip
"""What a frame's own conditions decide, whatever was shown before: nothing to carry on."""

_CONTROL_ROWS = [semantics.control_index(name) for name in CONTROLS]


def index(name: str) -> int:
    """Position of a coordinate in the vector (C,)."""
    return NAMES.index(name)


def lift(coordinates: Array, reference_motion: Array) -> Array:
    """Motion frames (T, 265) of coordinates (T, C) on a portrait with reference motion (265,)."""
    frames = len(coordinates)
    amounts = np.zeros((frames, len(semantics.control_names())), np.float32)
    low, high = semantics.control_ranges()[_CONTROL_ROWS].T
    amounts[:, _CONTROL_ROWS] = np.clip(coordinates[:, : len(CONTROLS)], low, high)
    home = layout.unpack(reference_motion[None])
    pitch, yaw, roll, tx, ty, scale = coordinates[:, POSE_PART].T
    shift = np.stack([tx, ty, np.zeros_like(tx)], axis=1)
    return layout.pack(
        layout.Motion(
            scale=home.scale + scale,
            pitch=home.pitch + pitch,
            yaw=home.yaw + yaw,
            roll=home.roll + roll,
            t=home.t + shift,
            exp=semantics.encode(amounts),
        )
    )
