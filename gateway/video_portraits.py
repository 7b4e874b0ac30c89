"""What is different about a call whose portrait is a video."""

from __future__ import annotations

from ditto.v1 import types_pb2 as types

_KEPT = ("head_gain", "eye_gain")


def keep_source_motion(control: types.MotionControl) -> None:
    """Let head and eyes move as in the video alone, unless the control says how much is added.

    The reference drives a video's expression only, too.
    """
    for name in _KEPT:
        if not control.HasField(name):
            setattr(control, name, 0.0)
