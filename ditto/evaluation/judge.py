"""A pack judged through a whole cluster: every talking clip and sound, and all figures of them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto import __version__
from ditto.errors import InvalidInputError
from ditto.evaluation import scores
from ditto.evaluation.clips import Pair, Sounding, Stage, pairs, soundings, talking_videos
from ditto.evaluation.listening import Aligner
from ditto.evaluation.measured import Measured
from ditto.evaluation.paper_measures import PaperFiles, measure
from ditto.training.evaluation.talking_video import FRAME_RATE, FRAME_SAMPLES

Array = NDArray[np.float32]

_QUIET_SECONDS = 4
_NOISE_RMS = 0.05


@dataclass(frozen=True)
class Material:
    """What a pack is judged on."""

    videos: tuple[Path, ...]
    """Talking videos with their own speech."""
    silent_videos: tuple[Path, ...] = ()
    """Real videos of faces that do not speak: how real landmarks move."""
    sounds: Mapping[str, Path] = field(default_factory=dict)
    """Recordings by name; those called ``audio-...`` hold no speech."""
    portrait: bytes = b""
    """Who speaks the recordings."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What is said in a clip or recording, by name."""


@dataclass(frozen=True)
class Judgement:
    """Everything that a report shows."""

    about: dict[str, str]
    pairs: list[Pair]
    sounds: list[Sounding]
    left_out: dict[str, str]
    """Names of what could not be judged, and why."""
    figures: dict[str, Any]
    paper: dict[str, float | str]
    """FID, FVD, Sync-C and Sync-D: values, or what they need."""


def find_material(
    folder: Path, pattern: str | None, sounds: Path | None, portrait: Path, texts: Path | None
) -> Material:
    """What a folder of videos and one of recordings offer. pattern: None leaves the videos open.

    Raises `InvalidInputError`.
    """
    videos = talking_videos(folder, pattern) if pattern else []
    if pattern and not videos:
        raise InvalidInputError("VIDEOS", f"no video in {folder} is called {pattern}")
    found = sorted(sounds.glob("*.wav")) if sounds else []
    return Material(
        videos=tuple(videos),
        silent_videos=tuple(talking_videos(folder, "silent-*")),
        sounds={path.stem: path for path in found},
        portrait=portrait.read_bytes() if sounds else b"",
        texts=json.loads(texts.read_text("utf-8")) if texts else {},
    )


def judge(
    stage: Stage,
    material: Material,
    read: Callable[[Path], Array],
    aligner: Aligner,
    files: PaperFiles,
) -> Judgement:
    """Make and measure all of it."""
    left_out: dict[str, str] = {}
    made = [_sorted_out(item, left_out) for item in pairs(stage, material.videos)]
    by_name = {path.stem: path for path in material.videos}
    clips = [
        replace(pair, phones=found, phones_source=source)
        for pair in made
        if isinstance(pair, Pair)
        for found, source in [aligner(by_name[pair.name], pair.real.samples)]
    ]
    if not clips:
        raise InvalidInputError("VIDEOS", f"not one clip could be judged: {left_out}")
    sounds = _sounds(stage, material, read, aligner, left_out)
    others = [stage.real(video) for video in material.silent_videos]
    found = figures(clips, sounds, others)
    return Judgement(_about(), clips, sounds, left_out, found, measure(clips, by_name, files))


def figures(clips: list[Pair], sounds: list[Sounding], others: list[Measured]) -> dict[str, Any]:
    """All figures, by group."""
    every = [*(clip.made for clip in clips), *(sound.made for sound in sounds)]
    return {
        "mouth": scores.mouth(clips),
        "closures": scores.lip_closures(clips, sounds),
        "aperture": scores.aperture(clips),
        "silence": scores.silence(clips, sounds),
        "identity": scores.identity(clips),
        "steadiness": scores.steadiness(clips, others),
        "liveliness": scores.liveliness(every, [clip.real for clip in clips]),
        "timing": scores.timing(clips),
    }


def _sounds(
    stage: Stage,
    material: Material,
    read: Callable[[Path], Array],
    aligner: Aligner,
    left_out: dict[str, str],
) -> list[Sounding]:
    if not material.portrait:
        return []
    heard = {name: read(path) for name, path in material.sounds.items()} | _made_up_sounds()
    found = []
    for item in soundings(stage, material.portrait, heard):
        sound = _sorted_out(item, left_out)
        if isinstance(sound, Sounding):
            path = material.sounds.get(sound.name)
            phones, source = aligner(path, sound.samples) if path else ((), "not speech")
            found.append(replace(sound, phones=phones, phones_source=source))
    return found


def _made_up_sounds() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    size = _QUIET_SECONDS * FRAME_RATE * FRAME_SAMPLES
    return {
        "sound-digital-silence": np.zeros(size, np.float32),
        "sound-white-noise": rng.normal(0, _NOISE_RMS, size).astype(np.float32),
    }


def _sorted_out(
    item: Pair | Sounding | tuple[str, str], left_out: dict[str, str]
) -> Pair | Sounding | None:
    if isinstance(item, tuple):
        left_out[item[0]] = item[1]
        return None
    return item


def _about() -> dict[str, str]:
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{platform.machine()}, {platform.system()}",
    }
