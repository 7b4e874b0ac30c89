"""Training data from talking videos: landmarks to motion, features, eyes, emotion (paper 4.1).

Pictures are taken at 25 a second, sound from the first picture on, features from the streaming
encoder that serves (3.3.1). The `starter` space comes from the starter's landmark extractor; the
space of another pack from that pack's own networks, once for the pictures as they are and once
mirrored (3.2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from ditto.errors import CorruptDataError, FaceError, InvalidInputError
from ditto.motion.layout import MOTION_DIM
from ditto.packs.starter import behaviour, coordinates
from ditto.packs.starter.extract import motion_of
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.packs.starter.renderer.identity import canonical_keypoints
from ditto.stages import Array, AudioEncoder, ExtractsMotion, Image, Renderer
from ditto.training import cleaning, features, store
from ditto.training.dataset import Clip, split_of
from ditto.training.emotions import Label
from ditto.training.evaluation import talking_video
from ditto.training.evaluation.face_measures import lip_gap
from ditto.training.evaluation.face_track import FaceFollower
from ditto.training.evaluation.generate import to_coordinates
from ditto.training.evaluation.loudness import speech_frames
from ditto.training.speech_data import FRAME_SAMPLES, framed_sound

Pictures = Callable[[], Iterable[Image]]
"""The pictures of a stretch, from its start as often as they are asked for."""

SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg"})
SHARES = {"tuning": 0.05, "test": 0.05}
"""Of the videos, by a hash of their names."""
_CELL_FRAMES = 45
"""Over which a head's mean pose is its posture, the pose part of m_ref."""
_CLOSED_GAP, _CLOSED_WEIGHT = 0.015, 3.0


@dataclass(frozen=True)
class Life:
    """Motion of one stretch and what was extracted with it."""

    motion: Array
    """(T, C)"""
    eyes: Array
    """(T, 8)"""
    keypoints: Array
    """(T, 63)"""


class Extractor(Protocol):
    """From pictures to a motion space."""

    name: str
    columns: int
    flipped_life: bool
    """The last of the lives is that of the mirrored pictures."""
    shortest_frames: int
    """One training window of the space's model."""

    def __call__(self, meshes: Array, pictures: Pictures) -> list[Life]:
        """The lives of a stretch."""


class StarterExtractor:
    """Coordinates from landmarks; mirrored when windows are drawn, since the mirror is known."""

    name, columns, flipped_life, shortest_frames = "starter", coordinates.COUNT, False, 40

    def __call__(self, meshes: Array, pictures: Pictures) -> list[Life]:
        """meshes (T, 478, 3); the pictures are not needed."""
        motion = to_coordinates(motion_of(meshes))
        pose = motion[:, coordinates.POSE_PART]
        motion[:, coordinates.POSE_PART] = pose - np.median(pose, axis=0)
        left, right = coordinates.index("eyeBlinkLeft"), coordinates.index("eyeBlinkRight")
        glance = motion[:, [coordinates.index("gazeX"), coordinates.index("gazeY")]]
        eyes = behaviour.eye_state(motion[:, right], glance)
        eyes[:, 1] = 1 - motion[:, left]  # the picture's right eye is the speaker's left
        keypoints = np.stack([canonical_keypoints(FaceGeometry(mesh)) for mesh in meshes])
        return [Life(motion, eyes, keypoints)]


class PackExtractor:
    """Frames (T, 265) by a pack's own networks, of the pictures and of their mirror images."""

    columns, flipped_life, shortest_frames = MOTION_DIM, True, 81

    def __init__(self, name: str, renderer: Renderer[Any]) -> None:
        """Raises `InvalidInputError` for a pack that cannot read motion from pictures."""
        if not isinstance(renderer, ExtractsMotion):
            raise InvalidInputError("pack", f"{name} cannot read motion from pictures")
        self.name = name
        self._prepare, self._extract = renderer.prepare, renderer.extract_motion

    def __call__(self, meshes: Array, pictures: Pictures) -> list[Life]:
        """Raises `FaceError` for a picture in which the pack finds no face."""
        return [self._life(pictures), self._life(lambda: map(_mirrored, pictures()))]

    def _life(self, pictures: Pictures) -> Life:
        identities = [self._prepare(picture).identity for picture in pictures()]
        return Life(
            self._extract(pictures()),
            np.stack([identity.eye_state for identity in identities]),
            np.stack([identity.canonical_keypoints for identity in identities]),
        )


def _mirrored(picture: Image) -> Image:
    return np.ascontiguousarray(picture[:, ::-1])


def find_videos(folder: Path) -> list[Path]:
    """Every video below a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def build(
    folder: Path,
    videos: Sequence[Path],
    encoder: AudioEncoder[Any],
    extractor: Extractor,
    follower: FaceFollower,
    sync: cleaning.SyncCheck,
    label: Label,
) -> None:
    """Add every video that the data folder does not know yet; faults are noted with the reason."""
    space = store.Space(extractor.name, extractor.columns, encoder.feature_dim)
    with store.Writer(folder, space) as writer:
        for video in tqdm(videos, desc="videos", unit="video"):
            if video.stem in writer:
                continue
            try:
                count = _add(writer, video, encoder, extractor, follower, sync, label)
                writer.finish(video.stem, count)
            except (FaceError, CorruptDataError) as error:
                writer.leave_out(video.stem, str(error))


def _add(
    writer: store.Writer,
    video: Path,
    encoder: AudioEncoder[Any],
    extractor: Extractor,
    follower: FaceFollower,
    sync: cleaning.SyncCheck,
    label: Label,
) -> int:
    """Add the good stretches of one video; gives their number."""
    tracked = cleaning.track(talking_video.frames(video), follower)
    samples = talking_video.speech(video)
    found, faults = cleaning.stretches(tracked, extractor.shortest_frames)
    for first, reason in faults.items():
        writer.leave_out(f"{video.stem}@{first}", reason)
    count = 0
    for stretch in found:
        name = f"{video.stem}@{stretch.first}"
        meshes = tracked.meshes[stretch.first : stretch.last]
        heard = samples[stretch.first * FRAME_SAMPLES : stretch.last * FRAME_SAMPLES]
        if (fault := sync.fault(meshes, heard)) is not None:
            writer.leave_out(name, fault)
            continue
        lives = extractor(meshes, partial(_pictures, video, stretch))
        emotion = label(video, _pictures(video, stretch))
        clip = _clip(name, video.stem, meshes, heard, features.stream(encoder, heard), lives)
        writer.add(replace(clip, emotion=emotion), str(video), extractor.flipped_life)
        count += 1
    return count


def _pictures(video: Path, stretch: cleaning.Stretch) -> Iterator[Image]:
    return islice(talking_video.frames(video), stretch.first, stretch.last)


def _clip(
    name: str, video: str, meshes: Array, samples: Array, heard: Array, lives: list[Life]
) -> Clip:
    frames = min(len(meshes), len(heard))
    speaking = speech_frames(samples, frames)
    closed = (lip_gap(meshes[:frames]) < _CLOSED_GAP) & speaking
    starter = lives[0].motion.shape[1] == coordinates.COUNT
    postures = [
        _posture(life.motion[:frames, coordinates.POSE_PART])
        if starter
        else np.zeros((frames, 6), np.float32)
        for life in lives
    ]
    return Clip(
        name=name,
        voice=video,
        split=split_of(video, SHARES),
        audio=heard[:frames].astype(np.float16),
        face=np.stack([life.motion[:frames] for life in lives]),
        eyes=np.stack([life.eyes[:frames] for life in lives]),
        posture=np.stack(postures),
        weight=np.where(closed, _CLOSED_WEIGHT, 1.0).astype(np.float32),
        closures=np.zeros(frames, bool),  # no phone times
        speaking=speaking,
        keypoints=np.stack([life.keypoints[:frames] for life in lives]),
        sound=framed_sound(samples, frames),
    )


def _posture(pose: Array) -> Array:
    """(T, 6): for each cell of a clip the mean pose (T, 6) in it, where the head is heading."""
    means = [
        np.broadcast_to(pose[start : start + _CELL_FRAMES].mean(0), (_CELL_FRAMES, 6))
        for start in range(0, len(pose), _CELL_FRAMES)
    ]
    return np.concatenate(means)[: len(pose)]
