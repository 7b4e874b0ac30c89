"""A face that nothing drives: it breathes, sways and blinks, its mouth shut.

A pure function of (seed, frame), for calls whose motion is sent by the caller; with speech the
motion model idles by itself. T frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.motion import semantics
from ditto.motion.eye_control import blink_closure
from ditto.motion.layout import FPS, Motion, pack, unpack

Array = NDArray[np.float32]
Frames = NDArray[np.int64]

_BREATH_S = 4.1
_BREATH_DEGREES, _BREATH_SHIFT = 0.35, 0.002
_SWAY_S = np.array([[5.3, 8.7], [7.1, 11.9], [6.1, 10.3]])
_SWAY_DEGREES = np.array([[0.35, 0.25], [0.8, 0.6], [0.35, 0.25]])
"""Two slow waves each in pitch, yaw, roll."""
_BLINKS_A_MINUTE = 16.0
_BLINK_FRAMES = 8
_SWAY_KEY, _BLINK_KEY = 8 << 56, 9 << 56
_SHUT = ("lipGap", "jawOpen")


def idle_motion(
    reference: Array,
    frames: Frames,
    seed: int,
    blinks_per_minute: float | None = None,
    blink_frames: float | None = None,
) -> Array:
    """Motion (T, 265) of a portrait with motion ``reference`` (265,) at some ``frames`` (T,)."""
    own = unpack(np.repeat(reference[None], len(frames), axis=0))
    seconds = frames / FPS
    phases = _draw(seed, _SWAY_KEY).uniform(0, 2 * np.pi, 7)
    breath = np.sin(2 * np.pi * seconds / _BREATH_S + phases[6])
    waves = np.sin(2 * np.pi * seconds[:, None, None] / _SWAY_S + phases[:6].reshape(3, 2))
    pitch, yaw, roll = (waves * _SWAY_DEGREES).sum(-1).T.astype(np.float32)
    shift = np.zeros((len(frames), 3), np.float32)
    shift[:, 1] = _BREATH_SHIFT * breath
    rate = _BLINKS_A_MINUTE if blinks_per_minute is None else blinks_per_minute
    closure = _blinks(seed, frames, rate, round(blink_frames or _BLINK_FRAMES))
    return pack(
        Motion(
            scale=own.scale,
            pitch=np.asarray(own.pitch + pitch + _BREATH_DEGREES * breath, np.float32),
            yaw=own.yaw + yaw,
            roll=own.roll + roll,
            t=own.t + shift,
            exp=_expression(own.exp, closure),
        )
    )


def _expression(exp: Array, closure: Array) -> Array:
    """The portrait's own expression with its mouth shut and the lids ``closure`` (T,) closed."""
    now = semantics.decode(exp)  # T C
    change = np.zeros_like(now)
    for name in _SHUT:
        at = semantics.control_index(name)
        change[:, at] = -np.maximum(now[:, at], 0)
    for name in ("eyeBlinkRight", "eyeBlinkLeft"):
        at = semantics.control_index(name)
        change[:, at] = closure * np.clip(1 - now[:, at], 0, None)
    return np.asarray(exp + semantics.encode(change), np.float32)


def _blinks(seed: int, frames: Frames, per_minute: float, length: int) -> Array:
    """(T,) how closed the lids are; each cell of time draws the moment of its one blink."""
    if per_minute <= 0:
        return np.zeros(len(frames), np.float32)
    cell_frames = max(length, round(60 * FPS / per_minute))
    closed = np.zeros(len(frames), np.float32)
    cells = frames // cell_frames
    for cell in np.unique(cells):
        start = _draw(seed, _BLINK_KEY + int(cell)).integers(0, cell_frames - length + 1)
        since = frames - cell * cell_frames - start
        inside = (cells == cell) & (since >= 0) & (since < length)
        closed[inside] = blink_closure(since[inside], length)
    return closed


def _draw(seed: int, key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, key], np.uint64)))
