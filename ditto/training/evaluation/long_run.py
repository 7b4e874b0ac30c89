"""Whether a long call drifts: pose and expression minute by minute (paper 3.2.1, m_ref).

Three ways to steer by m_ref are compared: the pack's, which moves it every few seconds; held at the
portrait; and free, where m_ref is the frame shown last, as in training, and nothing calls back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates
from ditto.packs.starter.motion_generator import MotionState, StarterMotionGenerator
from ditto.stages import MotionSettings
from ditto.training.evaluation import liveliness
from ditto.training.evaluation.generate import motion_frames, to_coordinates

Array = NDArray[np.float32]
Frames = NDArray[np.int64]

FRAMES_A_MINUTE = 1500
_SHOWN = ("pitch", "yaw", "roll", "scale", "lipGap", "jawOpen", "mouthSmile", "browUp")


class HeldGenerator(StarterMotionGenerator):
    """m_ref stays at the portrait."""

    def reference(self, state: MotionState, frames: Frames) -> Array:
        return np.zeros((len(frames), coordinates.COUNT), np.float32)


class FreeGenerator(StarterMotionGenerator):
    """m_ref is the frame shown last."""

    def reference(self, state: MotionState, frames: Frames) -> Array:
        last = state.shown[-1] * self.spread + self.centre
        return np.repeat(last[None].astype(np.float32), len(frames), axis=0)


STEERINGS = {"periodic": StarterMotionGenerator, "held": HeldGenerator, "free": FreeGenerator}


@dataclass(frozen=True)
class Minute:
    """Statistics of one minute."""

    mean: dict[str, float]
    spread: dict[str, float]
    """Standard deviation of the same coordinates."""
    blinks: float
    head_speed: float
    """95th percentile over the three axes, degrees a second."""


def minutes(model: Path, features: Array, steering: str, seed: int = 0) -> list[Minute]:
    """Every minute of motion for features (T, D) of a long call."""
    generator = STEERINGS[steering](model)
    motion = to_coordinates(motion_frames(generator, features, MotionSettings(seed=seed)))
    whole = len(motion) // FRAMES_A_MINUTE
    return [_minute(part) for part in np.split(motion[: whole * FRAMES_A_MINUTE], whole)]


def drift(every: list[Minute]) -> dict[str, float]:
    """Last minute against the first, in standard deviations of the first minute."""
    first, last = every[0], every[-1]
    return {
        name: (last.mean[name] - first.mean[name]) / max(first.spread[name], 1e-6)
        for name in first.mean
    }


def _minute(motion: Array) -> Minute:
    columns = {name: motion[:, coordinates.index(name)] for name in _SHOWN}
    return Minute(
        mean={name: float(curve.mean()) for name, curve in columns.items()},
        spread={name: float(curve.std()) for name, curve in columns.items()},
        blinks=liveliness.blinks_a_minute(motion),
        head_speed=float(liveliness.head_speed_p95(motion).max()),
    )
