"""Training windows of the starter's model: what of a clip one step sees.

Takes of synthesised speech say nothing about identity and emotion, so both are drawn anew for every
window, emotions as authored presets; clips of videos bring their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import behaviour, conditions, coordinates
from ditto.stages import EMOTIONS
from ditto.training import flip as mirror
from ditto.training.dataset import Clip
from ditto.training.targets import emotion

Array = NDArray[np.float32]

_LEAD_IN_FRAMES = 20
"""Windows may start this long before a clip: rest, as before the first frame of a call."""
_EMOTION_FADE_FRAMES = 10
_NEUTRAL_SHARE = 0.4
_KEYPOINT_SPREAD = 0.2
_FLOORS = {"pitch": 0.8, "yaw": 0.8, "roll": 0.8, "tx": 0.006, "ty": 0.006, "scale": 0.004}
_CONTROL_FLOOR = 0.08
_CALMEST = 6.0


@dataclass(frozen=True)
class Batch:
    """Windows of N frames, in coordinates, not standardised."""

    audio: Array
    """(B, N, A)"""
    heard: NDArray[np.bool_]
    """(B, N): False before the start of a take."""
    enhanced: Array
    """(B, N, E)"""
    motion: Array
    """(B, N, C)"""
    steer: Array
    """(B, N, C) m_ref."""
    weight: Array
    """(B, N)"""


class Windows:
    """Random windows of a set of clips; the same generator state gives the same batch."""

    def __init__(
        self, clips: list[Clip], frames: int, block_frames: int, flip: bool = False
    ) -> None:
        """flip: mirror every other window."""
        self._clips, self._flip = clips, flip
        self._frames, self._block = frames, block_frames
        lengths = np.array([len(clip.audio) for clip in clips], np.float64)
        self._share = lengths / lengths.sum()
        self._offsets, self._liveliness = emotion.offsets(), emotion.liveliness()

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """``count`` windows; they start at multiples of a block, as the serving path's do."""
        picks = rng.choice(len(self._clips), count, p=self._share)
        windows = [self._window(self._clips[pick], rng) for pick in picks]
        return Batch(*(np.stack(part) for part in zip(*windows, strict=True)))

    def _window(self, clip: Clip, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        first = -_LEAD_IN_FRAMES // self._block if clip.keypoints is None else 0
        last = max(0, len(clip.audio) - self._frames) // self._block
        start = int(rng.integers(first, last + 1)) * self._block
        times = np.arange(start, start + self._frames)
        at = np.clip(times, 0, len(clip.audio) - 1)
        heard = times >= 0
        life = int(rng.integers(len(clip.face)))
        motion = np.where(heard[:, None], clip.face[life, at], 0)
        eyes = np.where(heard[:, None], clip.eyes[life, at], _EYES_AT_REST).astype(np.float32)
        steer = behaviour.reference_steer(np.where(heard[:, None], clip.posture[life, at], 0))
        if clip.keypoints is None:
            spread = _KEYPOINT_SPREAD * rng.normal(size=conditions.KEYPOINTS_DIM)
            keypoints = spread.astype(np.float32)
        else:  # of any frame of the clip (paper 4.1)
            keypoints = clip.keypoints[life, rng.integers(len(clip.audio))]
        if clip.emotion is None:
            label, intensity = self._mood(rng)
            fade = np.clip((times + 1) / _EMOTION_FADE_FRAMES, 0, 1)[:, None]
            motion[:, coordinates.POSE_PART] *= 1 + intensity * (self._liveliness[label] - 1)
            motion += intensity * fade * self._offsets[label]
        else:
            label, intensity = clip.emotion, 1.0
        if self._flip and rng.random() < 0.5:
            motion, steer = mirror.mirror_coordinates(motion), mirror.mirror_coordinates(steer)
            eyes, keypoints = mirror.mirror_eyes(eyes), mirror.mirror_keypoints(keypoints)
        enhanced = conditions.enhanced(eyes, keypoints, conditions.emotion(label, intensity))
        arrays = (clip.audio[at], heard, enhanced, motion, steer, clip.weight[at])
        return tuple(a if a.dtype == bool else a.astype(np.float32) for a in arrays)

    @staticmethod
    def _mood(rng: np.random.Generator) -> tuple[int, float]:
        if rng.random() < _NEUTRAL_SHARE:
            return EMOTIONS.index("neutral"), 1.0
        return int(rng.integers(len(EMOTIONS))), float(rng.uniform(0.25, 1))


_EYES_AT_REST = behaviour.eye_state(np.zeros(1, np.float32), np.zeros((1, 2), np.float32))[0]


def statistics(windows: Windows, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Mean and floored SD (C,) of the coordinates, with which motion is standardised, and how calm
    each is beside the lip gap: 1 or more, up to `_CALMEST`, by the speed of standardised motion."""
    motion = windows.draw(400, rng).motion
    flat = motion.reshape(-1, coordinates.COUNT)
    floors = [_FLOORS.get(name, _CONTROL_FLOOR) for name in coordinates.NAMES]
    scale = np.maximum(flat.std(0), floors).astype(np.float32)
    speed = (np.diff(motion, axis=1) / scale).reshape(-1, coordinates.COUNT).var(0)
    calmness = np.clip(speed[coordinates.index("lipGap")] / (speed + 1e-6), 1, _CALMEST)
    calmness[[coordinates.index(name) for name in coordinates.CONDITIONED]] = 1
    return flat.mean(0), scale, calmness.astype(np.float32)
