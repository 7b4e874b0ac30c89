"""Which stretches of a talking video can teach: face found, no cut, lips that fit the sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ditto.packs.starter import coordinates
from ditto.stages import Array, AudioEncoder, Image, MotionGenerator
from ditto.training import features
from ditto.training.evaluation import lip_sync
from ditto.training.evaluation.face_measures import lip_gap
from ditto.training.evaluation.face_track import FaceFollower
from ditto.training.evaluation.generate import motion_frames, to_coordinates
from ditto.training.evaluation.loudness import speech_frames

_THUMBNAIL = (32, 32)
_CUT_DIFFERENCE = 0.12
"""Mean change of a picture, as a share of full brightness, that only a cut makes."""
_JUMP_FACES = 0.5
"""Way of the face in one frame, in face widths."""
_FARTHEST_LAG_FRAMES = 12
_ALLOWED_LAG_FRAMES = 2
_BETTER_ELSEWHERE = 0.15
"""Rise of the correlation at another lag that proves sound and lips apart."""
_SHORTEST_SPEECH_FRAMES = 25
_SILENT = 0.003


@dataclass(frozen=True)
class Tracked:
    """A face followed through a video at 25 frames a second."""

    meshes: Array
    """(T, 478, 3) pixels."""
    lost: NDArray[np.bool_]
    """(T,) no face was found."""
    cut: NDArray[np.bool_]
    """(T,) another scene begins."""


@dataclass(frozen=True)
class Stretch:
    """Frames [first, last) of a video that follow each other without a fault."""

    first: int
    last: int

    @property
    def frames(self) -> int:
        return self.last - self.first


def track(pictures: Iterable[Image], follower: FaceFollower) -> Tracked:
    """Follow a face and watch for cuts, one picture in memory at a time.

    Raises `FaceError` when the first picture shows none.
    """
    changes: list[float] = []

    def watched() -> Iterator[Image]:
        before: Array | None = None
        for picture in pictures:
            grey = cv2.cvtColor(cv2.resize(picture, _THUMBNAIL), cv2.COLOR_RGB2GRAY)
            now = np.asarray(grey, np.float32) / np.float32(255)
            changes.append(0.0 if before is None else float(np.abs(now - before).mean()))
            before = now
            yield picture

    meshes = follower(watched())
    steps = np.diff(meshes, axis=0)
    lost = np.concatenate([[False], ~steps.any(axis=(1, 2))])  # a lost face repeats, to the bit
    middles, widths = meshes[:, :, :2].mean(1), np.ptp(meshes[:, :, 0], axis=1)
    way = np.linalg.norm(np.diff(middles, axis=0), axis=1) / widths[1:]
    jumps = np.concatenate([[False], way > _JUMP_FACES])
    return Tracked(meshes, lost, (np.array(changes) > _CUT_DIFFERENCE) | jumps)


def stretches(tracked: Tracked, shortest_frames: int) -> tuple[list[Stretch], dict[int, str]]:
    """Faultless stretches, and by first frame why the others were left out."""
    found, faults, first = [], {}, 0
    for frame in range(len(tracked.lost) + 1):
        over = frame == len(tracked.lost)
        if not over and not tracked.lost[frame] and not tracked.cut[frame]:
            continue
        if frame - first >= shortest_frames:
            found.append(Stretch(first, frame))
        elif frame > first:
            why = "the end" if over else "a lost face" if tracked.lost[frame] else "a cut"
            few = f"{frame - first} frames before {why}"
            faults[first] = f"too short: {few}; a segment needs {shortest_frames}"
        first = frame if over or not tracked.lost[frame] else frame + 1
    return found, faults


class SyncCheck:
    """Are lips and sound of a stretch together? The starter's own mouth is the witness."""

    def __init__(self, encoder: AudioEncoder[Any], generator: MotionGenerator[Any]) -> None:
        self._encoder, self._generator = encoder, generator

    def fault(self, meshes: Array, samples: Array) -> str | None:
        """Why a stretch is out of sync, if it is; meshes (T, 478, 3), its samples at 16 kHz."""
        if np.abs(samples).max(initial=0) < _SILENT:
            return "no sound"
        flags = speech_frames(samples, len(meshes))
        if flags.sum() < _SHORTEST_SPEECH_FRAMES:
            return "hardly any speech"
        heard = features.stream(self._encoder, samples)
        motion = to_coordinates(motion_frames(self._generator, heard))
        gap, real = motion[: len(meshes), coordinates.index("lipGap")], lip_gap(meshes)
        lags = range(-_FARTHEST_LAG_FRAMES, _FARTHEST_LAG_FRAMES + 1)
        fit = {lag: lip_sync.correlation(gap, real, lag) for lag in lags}
        best = max(fit, key=fit.__getitem__)
        together = max(fit[lag] for lag in lags if abs(lag) <= _ALLOWED_LAG_FRAMES)
        if abs(best) > _ALLOWED_LAG_FRAMES and fit[best] > together + _BETTER_ELSEWHERE:
            side = "after" if best > 0 else "before"
            return f"off sync: lips move {abs(best) * 40} ms {side} the sound"
        return None
