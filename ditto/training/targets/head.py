"""Head targets: the head follows a drifting posture and nods with the stress of speech.

The aim is calm real talk: 95th-percentile speeds of 16-20, 6-10 and 6-9 degrees a second for pitch,
yaw and roll, and less in silence. Few-step samples move less than what they were trained on, since
nods cannot be foreseen from sound alone: targets are about 1.5 times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]
from scipy.signal import find_peaks  # type: ignore[import-untyped]

from ditto.packs.starter.behaviour import pose_from_angles

Array = NDArray[np.float32]
Curve = NDArray[np.float64]

FRAME_RATE = 25
FRAME_SAMPLES = 640
_SILENT_SHARE = 0.45
"""How far the head goes along with a new posture while nobody speaks."""
_NOD_DEGREES = 5.5
_NOD_FRAMES = 13
_NOD_DELAY_FRAMES = 1
_BROW_AMOUNT = 0.35


def loudness(samples: Array, frames: int) -> Curve:
    """(T,) 0 (30 dB below the loud parts, or less) to 1, smoothed over about 0.1 s."""
    padded = np.zeros(frames * FRAME_SAMPLES, np.float64)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    power = (padded.reshape(frames, FRAME_SAMPLES) ** 2).mean(1)
    level_db = 10 * np.log10(power + 1e-9)
    loud = np.percentile(level_db, 95)
    return np.asarray(gaussian_filter1d(np.clip((level_db - loud + 30) / 30, 0, 1), 1.2))


def activity(speaking: NDArray[np.bool_]) -> Curve:
    """(T,) 0..1: whether somebody has been speaking lately, from per-frame speech flags."""
    level, value = np.empty(len(speaking)), 0.0
    for frame, flag in enumerate(speaking):
        value += (float(flag) - value) * (0.2 if flag else 0.06)
        level[frame] = value
    return level


def stresses(loud: Curve, active: Curve) -> Curve:
    """(T,) one impulse a stressed syllable, as high as it stands out."""
    peaks, found = find_peaks(loud * active, prominence=0.12, distance=8)
    impulses = np.zeros(len(loud))
    impulses[peaks] = np.clip(found["prominences"] * 1.6, 0, 1) ** 1.5
    return impulses


def head_curves(posture: Array, impulses: Curve, active: Curve, rng: np.random.Generator) -> Array:
    """(T, 6) head pose that goes after a posture (T, 6) and nods."""
    follow = _SILENT_SHARE + (1 - _SILENT_SHARE) * active
    angles = _follow(posture[:, :3] * follow[:, None], frames=rng.uniform(4.5, 7))
    scale = _follow(posture[:, 5:] * follow[:, None], frames=8)[:, 0]
    nods = _beat(impulses * rng.uniform(0.8, 1.2, len(impulses)), _NOD_FRAMES, _NOD_DELAY_FRAMES)
    nods -= gaussian_filter1d(nods, FRAME_RATE)  # a nod is a movement, not a lowered head
    lean = np.tanh(angles[:, 1:])  # stresses push further the way that the head leans
    side = _beat(impulses, 2 * _NOD_FRAMES, 0)[:, None] * lean
    sway = gaussian_filter1d(rng.normal(size=(len(posture), 3)), 10, axis=0)
    angles += sway * [1.0, 1.2, 1.0]
    angles += _NOD_DEGREES * np.column_stack([nods, side * [0.3, 0.5]])
    return pose_from_angles(angles, scale).astype(np.float32)


def brow_raise(impulses: Curve) -> Curve:
    """(T,) browUp amounts: brows rise a little with strong stresses."""
    strong = np.where(impulses > 0.6, impulses, 0)
    return _BROW_AMOUNT * np.clip(_beat(strong, 16, 0), 0, 1)


def _follow(steps: NDArray[np.floating], frames: float) -> Curve:
    """Steps (T, N) as a critically damped follower with this time constant moves after them."""
    moved = np.zeros(steps.shape)
    place, speed = np.zeros(steps.shape[1]), np.zeros(steps.shape[1])
    rate = 1 / frames
    for frame, target in enumerate(steps):
        speed = speed + rate**2 * (target - place) - 2 * rate * speed
        place = place + speed
        moved[frame] = place
    return moved


def _beat(impulses: Curve, frames: int, delay: int) -> Curve:
    """Impulses as smooth bumps of so many frames, centred ``delay`` frames after them."""
    bump = np.hanning(frames + 2)[1:-1]
    spread = np.convolve(impulses, bump, "same")
    return np.roll(spread, delay)
