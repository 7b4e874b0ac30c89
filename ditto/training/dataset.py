"""Clips: features of real length, mouth targets, and several lives of the head and eyes.

Mouth targets belong to a take; posture, nods, blinks and glances are drawn several times for each.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import behaviour, coordinates
from ditto.training.speech import takes
from ditto.training.speech.phones import PAUSE, Phone
from ditto.training.targets import head, mouth

Array = NDArray[np.float32]
Curve = NDArray[np.float64]

LIVES = 3
"""Realisations of head and eyes a take."""
_CLOSED_AMOUNT = 0.15
_CLOSED_WEIGHT = 3.0
_TUNING_SHARE = 0.5
"""Of the voices that training never hears; the rest is for tests."""


@dataclass(frozen=True)
class Clip:
    """One take, or one stretch of a video, as frames."""

    name: str
    voice: str
    split: str
    """`train`, `tuning` (chooses the checkpoint) or `test`."""
    audio: NDArray[np.float16]
    """(T, A) features."""
    face: Array
    """(L, T, C) motion of L lives; neutral where ``emotion`` is None."""
    eyes: Array
    """(L, T, 8) condition e."""
    posture: Array
    """(L, T, 6) pose part of m_ref."""
    weight: Array
    """(T,) loss weight of the lips: near-closed frames of speech count more."""
    closures: NDArray[np.bool_]
    """(T,) in the middle of p, b, m."""
    speaking: NDArray[np.bool_]
    emotion: int | None = None
    """Condition s; None: drawn anew for every window, as a preset."""
    keypoints: Array | None = None
    """(L, T, 63) condition c_ref; None: drawn anew for every window."""
    sound: NDArray[np.int16] | None = None
    """(T, 640) samples at 16 kHz."""

    @property
    def held_out(self) -> bool:
        """No network trains on it."""
        return self.split != "train"


def split_of(name: str, shares: Mapping[str, float]) -> str:
    """The split of a clip, by a hash of its name alone: it stays as data is added.

    shares: of the splits other than `train`, which gets the rest.
    """
    draw = zlib.crc32(name.encode()) / 2**32
    for split, share in shares.items():
        if draw < share:
            return split
        draw -= share
    return "train"


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
    rest = {"tuning": _TUNING_SHARE, "test": 1 - _TUNING_SHARE}
    split = split_of(take.name, rest) if take.held_out else "train"
    return Clip(take.name, take.voice, split, audio, face, eyes, posture, weight, closed, speaking)


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
