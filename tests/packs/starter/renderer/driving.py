"""Motion frames of named controls and turns, and faces measured again on what they render."""

from __future__ import annotations

import numpy as np

from ditto.motion import layout, semantics
from ditto.packs.starter.renderer import StarterRenderer
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.stages import Image, Portrait
from tests.face import example

Registered = Portrait[Appearance]


def at_rest(portrait: Registered) -> np.ndarray:
    """(265,) the portrait's own motion."""
    return portrait.identity.reference_motion


def motion(
    portrait: Registered,
    turn: tuple[float, float, float] = (0, 0, 0),
    t: tuple[float, float, float] = (0, 0, 0),
    **controls: float,
) -> np.ndarray:
    """(265,) controls on a closed neutral face; pitch, yaw, roll in degrees added to its pose."""
    own = layout.unpack(at_rest(portrait)[None])
    amounts = np.zeros(len(semantics.control_names()), np.float32)
    for name, amount in controls.items():
        amounts[semantics.control_index(name)] = amount
    pitch, yaw, roll = turn
    frame = layout.Motion(
        scale=own.scale,
        pitch=own.pitch + pitch,
        yaw=own.yaw + yaw,
        roll=own.roll + roll,
        t=own.t + np.float32(t),
        exp=semantics.encode(amounts)[None],
    )
    return layout.pack(frame)[0]


def measured(image: Image) -> FaceGeometry:
    """The face found again in a frame."""
    return FaceGeometry(example.mesh_of(image))


def driven(
    renderer: StarterRenderer,
    portrait: Registered,
    turn: tuple[float, float, float] = (0, 0, 0),
    **controls: float,
) -> FaceGeometry:
    """The face of a rendered frame."""
    frame = renderer.render_head(portrait.appearance, motion(portrait, turn, **controls))
    return measured(frame)


def gap_share(face: FaceGeometry) -> float:
    """Inner-lip gap over the face's height."""
    gap = np.linalg.norm(face.head_mm[13] - face.head_mm[14])
    return float(gap / face.frame.face_height_mm)
