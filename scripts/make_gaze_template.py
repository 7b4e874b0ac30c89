"""Builds the starter pack's gaze template: a head that turns while its eyes stay on the camera.

The published method records a person; the starter pack's eyes are drawn, so that their geometry is
known. The eyeball's radius is 0.8 of the eye's half-width, so that a turn of 10 degrees moves the
iris by 0.14 of it; the renderer moves it by 0.40 sideways and 0.26 up at a gaze of 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ditto.motion import semantics
from ditto.motion.head_control import POSE_SIGNS
from ditto.motion.layout import Motion, pack
from ditto.motion.track import save_track

TARGET = Path(__file__).resolve().parents[1] / "ditto/packs/starter/weights/gaze_template.npz"
FRAMES = 200
BALL_RADIUS = 0.8
"""Over the eye's half-width."""
TRAVEL_X, TRAVEL_Y = 0.40, 0.26
"""Way of the iris at a gaze amount of 1, over the eye's half-width."""
WIDEST_DEGREES = np.array([10.0, 14.0, 6.0])
TURNS = np.array([3.0, 2.0, 1.0])
"""How often the head goes back and forth in pitch, yaw, roll."""


def make_template() -> np.ndarray:
    """Motion frames (T, 265), the head at rest in the first."""
    time = np.linspace(0, 1, FRAMES)[:, None]
    pose = (WIDEST_DEGREES * np.sin(2 * np.pi * TURNS * time)).astype(np.float32)  # T 3
    pitch, yaw, roll = (pose * POSE_SIGNS).T
    amounts = np.zeros((FRAMES, len(semantics.control_names())), np.float32)
    turned = np.sin(np.radians(pose))
    amounts[:, semantics.control_index("gazeX")] = -turned[:, 1] * BALL_RADIUS / TRAVEL_X
    amounts[:, semantics.control_index("gazeY")] = turned[:, 0] * BALL_RADIUS / TRAVEL_Y
    still = np.zeros((FRAMES, 3), np.float32)
    one = np.ones(FRAMES, np.float32)
    return pack(Motion(one, pitch, yaw, roll, still, semantics.encode(amounts)))


if __name__ == "__main__":
    save_track(TARGET, make_template())
