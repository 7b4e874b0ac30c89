"""Talking clips and sounds: the real ones, and what a cluster makes of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ditto.client import AnimateOptions, Client
from ditto.errors import DittoError
from ditto.evaluation.cluster_call import CallFigures, make_call
from ditto.evaluation.measured import Measured, Observer
from ditto.evaluation.portrait_choice import best_frame, portrait_png
from ditto.training.evaluation.talking_video import FRAME_SAMPLES
from ditto.training.speech.phones import Phone

Array = NDArray[np.float32]

VIDEO_SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".mpg")
_SHORTEST_FRAMES = 25


@dataclass(frozen=True)
class Pair:
    """A real talking clip, and what the cluster made of one of its frames and its speech."""

    name: str
    real: Measured
    made: Measured
    call: CallFigures
    portrait_frame: int
    """The real clip's frame that was the portrait."""
    video: Path
    """The made video's file."""
    phones: tuple[Phone, ...] = ()
    phones_source: str = ""

    @property
    def frames(self) -> int:
        """Frames that both have."""
        spoken = len(self.real.samples) // FRAME_SAMPLES
        return min(self.real.frames, self.made.frames, spoken)


@dataclass(frozen=True)
class Sounding:
    """A recording without a video, spoken by a portrait of ours."""

    name: str
    samples: Array
    made: Measured
    call: CallFigures
    phones: tuple[Phone, ...] = ()
    phones_source: str = ""


class Stage:
    """Makes and measures: a cluster, an observer, and the folder that keeps both's results."""

    def __init__(
        self, client: Client, observer: Observer, folder: Path, tag: str, options: AnimateOptions
    ) -> None:
        """tag: what the made videos depend on beside portrait and speech, such as a pack's hash."""
        self._client, self._observer = client, observer
        self._tag = json.dumps([tag, dict(options)], sort_keys=True)
        self._options = options
        self._folder = folder / "videos"
        self._folder.mkdir(parents=True, exist_ok=True)

    def real(self, video: Path) -> Measured:
        """A real video's measurements."""
        return self._observer.of_file(video)

    def made(
        self, name: str, portrait: bytes, samples: Array
    ) -> tuple[Measured, CallFigures, Path]:
        """What the cluster makes of a portrait and speech; kept, so that a cut run goes on."""
        key = f"made-{name}-{_hash(portrait, samples.tobytes(), self._tag.encode())}"
        video, told = self._folder / f"{key}.mp4", self._folder / f"{key}.json"
        if not (video.exists() and told.exists()):
            data, figures = make_call(self._client, portrait, samples, self._options)
            video.write_bytes(data)
            told.write_text(json.dumps(figures.as_json()))
        call = json.loads(told.read_text())
        figures = CallFigures(**{**call, "warnings": tuple(call["warnings"])})
        return self._observer.of(key, lambda: video), figures, video


def talking_videos(folder: Path, pattern: str) -> list[Path]:
    """Video files of a folder that match, in order."""
    return [p for p in sorted(folder.glob(pattern)) if p.suffix.lower() in VIDEO_SUFFIXES]


def pairs(stage: Stage, videos: Sequence[Path]) -> Iterator[Pair | tuple[str, str]]:
    """Each talking video with what the cluster makes of it, or its name and why it cannot be."""
    for video in tqdm(videos, desc="clips", unit="clip", disable=None):
        try:
            real = stage.real(video)
            if len(real.samples) // FRAME_SAMPLES < _SHORTEST_FRAMES:
                yield video.stem, "no speech in it"
                continue
            chosen = best_frame(real)
            made, call, file = stage.made(
                video.stem, portrait_png(video, chosen), real.samples[: _heard(real)]
            )
            yield Pair(video.stem, real, made, call, chosen, file)
        except DittoError as error:
            yield video.stem, str(error)


def soundings(
    stage: Stage, portrait: bytes, sounds: dict[str, Array]
) -> Iterator[Sounding | tuple[str, str]]:
    """Each recording as a portrait's speech."""
    for name, samples in tqdm(sounds.items(), desc="sounds", unit="sound", disable=None):
        try:
            made, call, _ = stage.made(name, portrait, samples)
            yield Sounding(name, samples, made, call)
        except DittoError as error:
            yield name, str(error)


def _heard(real: Measured) -> int:
    """Samples that belong to pictures."""
    return min(len(real.samples), real.frames * FRAME_SAMPLES)


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:12]
