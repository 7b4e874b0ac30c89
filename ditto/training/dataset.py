"""Training windows: features of real length, mouth targets, and several lives of the head and eyes.

Mouth targets belong to a take; posture, nods, blinks and glances are drawn several times for each
take, emotions anew for every window.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ditto.packs.starter import behaviour, conditions, coordinates
from ditto.stages import EMOTIONS
from ditto.training import features
from ditto.training.speech import takes
from ditto.training.speech.phones import PAUSE, Phone
from ditto.training.targets import emotion, head, mouth

Array = NDArray[np.float32]
Curve = NDArray[np.float64]

LIVES = 3
"""Realisations of head and eyes a take."""
_LEAD_IN_FRAMES = 20
"""Windows may start this long before a take: rest, as before the first frame of a call."""
_EMOTION_FADE_FRAMES = 10
_NEUTRAL_SHARE = 0.4
_CLOSED_AMOUNT = 0.15
_CLOSED_WEIGHT = 3.0
_KEYPOINT_SPREAD = 0.2
_FLOORS = {"pitch": 0.8, "yaw": 0.8, "roll": 0.8, "tx": 0.006, "ty": 0.006, "scale": 0.004}
_CONTROL_FLOOR = 0.08
_CALMEST = 6.0


@dataclass(frozen=True)
class Clip:
    """One take as frames."""

    name: str
    voice: str
    held_out: bool
    audio: NDArray[np.float16]
    """(T, A) features."""
    face: Array
    """(LIVES, T, C) coordinates, neutral."""
    eyes: Array
    """(LIVES, T, 8) condition e."""
    posture: Array
    """(LIVES, T, 6) pose part of m_ref."""
    weight: Array
    """(T,) loss weight of the lips: near-closed frames of speech count more."""
    closures: NDArray[np.bool_]
    """(T,) in the middle of p, b, m."""
    speaking: NDArray[np.bool_]


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


def load(folder: Path, limit: int | None = None) -> list[Clip]:
    """Every take of a data folder (``takes/`` and ``features/``) that has its features."""
    paths = [
        path
        for path in sorted((folder / "takes").glob("*.npz"))
        if (folder / "features" / f"{path.stem}.npy").exists()
    ][:limit]
    return [
        make_clip(takes.load(path), features.load(path, folder / "features"))
        for path in tqdm(paths, desc="targets", unit="take")
    ]


def make_clip(take: takes.Take, audio: NDArray[np.float16]) -> Clip:
    """Targets of one take for its features (T, A)."""
    frames = len(audio)
    speaking = spoken_frames(take.phones, frames)
    lips = mouth.mouth_curves(take.phones, frames)
    active = head.activity(speaking)
    stress = head.stresses(head.loudness(take.samples, frames), active)
    lives = [_live(take.name, life, frames, lips, active, stress) for life in range(LIVES)]
    face, eyes, posture = (np.stack(part) for part in zip(*lives, strict=True))
    gap = lips[:, mouth.CONTROLS.index("lipGap")]
    weight = np.where((gap < _CLOSED_AMOUNT) & speaking, _CLOSED_WEIGHT, 1.0).astype(np.float32)
    closed = mouth.closures(take.phones, frames)
    return Clip(
        take.name, take.voice, take.held_out, audio, face, eyes, posture, weight, closed, speaking
    )


def spoken_frames(phones: tuple[Phone, ...], frames: int) -> NDArray[np.bool_]:
    """(T,): whether a frame's middle lies in a phone that is no pause."""
    middles = (np.arange(frames) + 0.5) / mouth.FRAME_RATE
    spoken = np.zeros(frames, bool)
    for phone in phones:
        if phone.symbol != PAUSE:
            spoken |= (phone.start_s <= middles) & (middles < phone.end_s)
    return spoken


def _live(
    name: str, life: int, frames: int, lips: Array, active: Curve, stress: Curve
) -> tuple[Array, Array, Array]:
    """Face (T, C), eyes (T, 8) and posture (T, 6) of one realisation."""
    rng = np.random.default_rng([*name.encode(), life])
    seed, times = int(rng.integers(2**62)), np.arange(frames)
    lids, glance = behaviour.blink(seed, times), behaviour.gaze(seed, times)
    posture = behaviour.posture(seed, times)
    face = np.zeros((frames, coordinates.COUNT), np.float32)
    for column, control in enumerate(mouth.CONTROLS):
        face[:, coordinates.index(control)] = lips[:, column]
    face[:, coordinates.index("eyeBlinkLeft")] = lids
    face[:, coordinates.index("eyeBlinkRight")] = lids
    face[:, coordinates.index("gazeX")] = glance[:, 0]
    face[:, coordinates.index("gazeY")] = glance[:, 1]
    face[:, coordinates.index("browUp")] = head.brow_raise(stress)
    face[:, coordinates.POSE_PART] = head.head_curves(posture, stress, active, rng)
    return face, behaviour.eye_state(lids, glance), posture


class Windows:
    """Random windows of a set of clips; the same generator state gives the same batch."""

    def __init__(self, clips: list[Clip], frames: int, block_frames: int) -> None:
        self._clips = clips
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
        first = -_LEAD_IN_FRAMES // self._block
        last = max(0, len(clip.audio) - self._frames) // self._block
        start = int(rng.integers(first, last + 1)) * self._block
        times = np.arange(start, start + self._frames)
        at = np.clip(times, 0, len(clip.audio) - 1)
        heard = times >= 0
        life = int(rng.integers(LIVES))
        label, intensity = self._mood(rng)
        fade = np.clip((times + 1) / _EMOTION_FADE_FRAMES, 0, 1)[:, None]
        motion = np.where(heard[:, None], clip.face[life, at], 0)
        motion[:, coordinates.POSE_PART] *= 1 + intensity * (self._liveliness[label] - 1)
        motion += intensity * fade * self._offsets[label]
        eyes = np.where(heard[:, None], clip.eyes[life, at], _EYES_AT_REST).astype(np.float32)
        steer = behaviour.reference_steer(np.where(heard[:, None], clip.posture[life, at], 0))
        keypoints = rng.normal(0, _KEYPOINT_SPREAD, conditions.KEYPOINTS_DIM).astype(np.float32)
        vector = conditions.emotion(label, intensity)
        enhanced = conditions.enhanced(eyes, keypoints, vector)
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
