"""What a caller may change about single frames: head pose, expression, fades (paper 3.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ditto.motion.layout import EXPRESSION_DIM

Array = NDArray[np.float32]


@dataclass(frozen=True)
class FrameControl:
    """Changes to one frame; None leaves the field alone."""

    delta_pitch: float | None = None
    """Degrees to add."""
    delta_yaw: float | None = None
    delta_roll: float | None = None
    alpha_pitch: float | None = None
    """Factor, on the bin logits; on degrees where there is a delta too, and after it."""
    alpha_yaw: float | None = None
    alpha_roll: float | None = None
    delta_exp: Array | None = None
    """(63,) to add to the expression."""
    vad_alpha: float | None = None
    """Share of the driving expression; the rest is the source's. The released code builds a lip
    mask for it and leaves it unused: the whole expression is blended, here too."""
    fade_alpha: float | None = None
    """Share of the driven fields in a fade; the rest is the fade's target."""

    def over(self, defaults: FrameControl) -> FrameControl:
        """This control, with what it leaves alone taken from ``defaults``."""
        names = [field.name for field in fields(self)]
        own = {name: getattr(self, name) for name in names}
        return FrameControl(
            **{name: getattr(defaults, name) if own[name] is None else own[name] for name in names}
        )


@dataclass(frozen=True)
class Controls:
    """The controls of T frames as arrays."""

    pose_delta: Array
    """(T, 3) degrees to add to pitch, yaw, roll."""
    pose_in_degrees: NDArray[np.bool_]
    """(T, 3) where a delta was given, so that the angle is handled in degrees from there on."""
    pose_alpha: Array
    """(T, 3)"""
    exp_delta: Array
    """(T, 63)"""
    vad_alpha: Array
    """(T, 1)"""
    fade_alpha: Array
    """(T, 1)"""


def stack_controls(rows: Sequence[FrameControl]) -> Controls:
    """The controls of T frames, one row each, as arrays."""

    def column(name: str, default: float) -> Array:
        values = [getattr(row, name) for row in rows]
        return np.array([default if value is None else value for value in values], np.float32)

    angles = ("pitch", "yaw", "roll")
    given = [[getattr(row, f"delta_{angle}") is not None for angle in angles] for row in rows]
    still = np.zeros(EXPRESSION_DIM, np.float32)
    exp = [still if row.delta_exp is None else row.delta_exp.reshape(-1) for row in rows]
    return Controls(
        pose_delta=np.stack([column(f"delta_{angle}", 0.0) for angle in angles], axis=1),
        pose_in_degrees=np.array(given),
        pose_alpha=np.stack([column(f"alpha_{angle}", 1.0) for angle in angles], axis=1),
        exp_delta=np.stack(exp),
        vad_alpha=column("vad_alpha", 1.0)[:, None],
        fade_alpha=column("fade_alpha", 1.0)[:, None],
    )


def controls_of(
    first_frame: int, frames: int, by_frame: Mapping[int, FrameControl], defaults: FrameControl
) -> Controls:
    """The controls of frames [first_frame, first_frame + frames)."""
    numbers = range(first_frame, first_frame + frames)
    return stack_controls(
        [by_frame.get(number, FrameControl()).over(defaults) for number in numbers]
    )


def fade_alphas(frames: int, fade_in: int = -1, fade_out: int = -1) -> Array:
    """(frames,) shares for a fade in over the first and out over the last frames; -1 for none."""
    alphas = np.ones(frames, np.float32)
    if fade_in > 0:
        rise = np.arange(frames) / fade_in
        alphas = np.minimum(alphas, rise)
    if fade_out > 0:
        fall = np.arange(frames - 1, -1, -1) / fade_out
        alphas = np.minimum(alphas, fall)
    return alphas.astype(np.float32)
