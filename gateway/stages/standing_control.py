"""What the controls of a call amount to, as one control that holds from the start."""

from __future__ import annotations

from ditto.v1.types_pb2 import MotionControl

_ONE_TIME = ("from_frame", "reset", "blink_now_frames")


def standing_with(standing: MotionControl, control: MotionControl) -> MotionControl:
    """The standing control once another one has had its say. A pose track begins anew."""
    result = MotionControl()
    if not control.reset:
        result.CopyFrom(standing)
    for field, _ in control.ListFields():
        if field.name != "blendshapes":  # its entries are added to those that stand
            result.ClearField(field.name)
    result.MergeFrom(control)
    for name in _ONE_TIME:
        result.ClearField(name)
    return result
