"""Everything that is measured on one video, real or generated; kept on disk once measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.evaluation.identity import FaceRecognizer, sface_path
from ditto.training.evaluation import face_measures, talking_video
from ditto.training.evaluation.face_track import FaceFollower

Array = NDArray[np.float32]
Image = NDArray[np.uint8]

IDENTITY_STRIDE = 5
"""Face recognition looks at every fifth frame."""


@dataclass(frozen=True)
class Measured:
    """One video at 25 frames/s."""

    points: Array
    """(T, 478, 3) face mesh in pixels."""
    samples: Array
    """(n,) its sound at 16 kHz."""
    identity: Array
    """(ceil(T / 5), 128) unit recognition features."""

    @property
    def frames(self) -> int:
        return len(self.points)

    @cached_property
    def lip_gap(self) -> Array:
        """(T,) in face heights."""
        return face_measures.lip_gap(self.points)

    @cached_property
    def head_angles(self) -> Array:
        """(T, 3) degrees."""
        return face_measures.head_angles(self.points)

    @cached_property
    def lids(self) -> Array:
        """(T,) see `face_measures.lid_opening`."""
        return face_measures.lid_opening(self.points)


class Observer:
    """Measures videos, and remembers what it measured in a folder."""

    def __init__(self, landmarker_task: Path, memory: Path) -> None:
        self.follow = FaceFollower(landmarker_task)
        self.recognize = FaceRecognizer(sface_path())
        self._memory = memory
        memory.mkdir(parents=True, exist_ok=True)

    def of(self, key: str, video: Callable[[], Path | bytes]) -> Measured:
        """The measurements called `key`: from the folder, or of the video that is given then."""
        kept = self._memory / f"{key}.npz"
        if not kept.exists():
            found = self.measure(video())
            part = kept.with_suffix(".part.npz")
            np.savez(part, points=found.points, samples=found.samples, identity=found.identity)
            part.replace(kept)
        with np.load(kept) as data:
            return Measured(data["points"], data["samples"], data["identity"])

    def of_file(self, video: Path) -> Measured:
        """A real video's measurements."""
        digest = hashlib.sha256(video.read_bytes()).hexdigest()[:12]
        return self.of(f"real-{video.stem}-{digest}", lambda: video)

    def measure(self, video: Path | bytes) -> Measured:
        """Follow the face through a video; frames are decoded as they are needed."""
        seen: list[Image] = []

        def remember() -> Iterator[Image]:
            for index, image in enumerate(talking_video.frames(video)):
                if index % IDENTITY_STRIDE == 0:
                    seen.append(image)
                yield image

        points = self.follow(remember())
        features = [
            self.recognize(image, mesh)
            for image, mesh in zip(seen, points[::IDENTITY_STRIDE], strict=True)
        ]
        return Measured(points, talking_video.speech(video), np.stack(features))
