"""The on-disk format of training data: plain npy shards and a JSON index (docs/training.md).

Arrays are read through memory maps, so data may be larger than memory. A shard and the index are
written whole or not at all: a build that was cut goes on with the clips that are not in the index.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, InvalidInputError
from ditto.training.dataset import Clip

FORMAT = 1
INDEX = "index.json"
SHARD_FRAMES = 6000
_PER_FRAME = {
    "audio": np.float16,
    "sound": np.int16,
    "weight": np.float32,
    "closures": np.bool_,
    "speaking": np.bool_,
}
_PER_LIFE = {
    "face": np.float32,
    "eyes": np.float32,
    "posture": np.float32,
    "keypoints": np.float32,
}


@dataclass(frozen=True)
class Space:
    """What the numbers of a data folder are."""

    motion: str
    """`starter` (23 coordinates) or the name of a pack whose frames have 265 numbers."""
    columns: int
    audio_dim: int


@dataclass(frozen=True)
class Entry:
    """One clip of the index: where its rows lie, and what a shard cannot say."""

    name: str
    voice: str
    split: str
    origin: str
    """`speech` (synthesised) or the video's path."""
    emotion: int | None
    flipped_life: bool
    """The last life was extracted from mirrored pictures."""
    shard: int
    frames: int
    frame_row: int
    lives: int
    life_row: int
    keypoint_row: int | None


class Writer:
    """Adds clips to a data folder. Use as a context: leaving it writes what is still waiting."""

    def __init__(self, folder: Path, space: Space) -> None:
        """Opens or makes the folder. Raises `InvalidInputError` if it holds another space."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._space = folder, space
        self._entries: list[Entry] = []
        self.left_out: dict[str, str] = {}
        self.sources: dict[str, int] = {}
        if (folder / INDEX).exists():
            index = read_index(folder)
            if index["space"] != asdict(space):
                raise InvalidInputError("folder", f"{folder} holds {index['space']}, not {space}")
            self._entries = [Entry(**row) for row in index["clips"]]
            self.left_out, self.sources = dict(index["left_out"]), dict(index["sources"])
        names = {entry.name for entry in self._entries}
        self._known = names | self.left_out.keys() | self.sources.keys()
        self._waiting: list[tuple[Clip, str, bool]] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def __contains__(self, name: str) -> bool:
        """Whether a clip or source was added or left out."""
        return name in self._known

    def add(self, clip: Clip, origin: str, flipped_life: bool = False) -> None:
        """Take a clip whose sound is set; a full shard is written at once."""
        assert clip.sound is not None, clip.name
        self._waiting.append((clip, origin, flipped_life))
        self._known.add(clip.name)
        if sum(len(waiting.audio) for waiting, *_ in self._waiting) >= SHARD_FRAMES:
            self.flush()

    def leave_out(self, name: str, reason: str) -> None:
        """Note why something gave no clip, so that it is not tried again."""
        self.left_out[name] = reason
        self._known.add(name)

    def finish(self, source: str, clips: int) -> None:
        """Note that a source was read to its end, and write everything."""
        self.sources[source] = clips
        self._known.add(source)
        self.flush()

    def flush(self) -> None:
        """Write the clips that wait as one shard, then the index."""
        number = 1 + max((entry.shard for entry in self._entries), default=-1)
        if self._waiting:
            self._write_shard(number)
        index = {
            "format": FORMAT,
            "space": asdict(self._space),
            "clips": [asdict(entry) for entry in self._entries],
            "left_out": self.left_out,
            "sources": self.sources,
        }
        part = self._folder / f"{INDEX}.part"
        part.write_text(json.dumps(index, indent=1), "utf-8")
        part.rename(self._folder / INDEX)

    def _write_shard(self, number: int) -> None:
        place = shard_folder(self._folder, number)
        part = place.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        clips = [clip for clip, *_ in self._waiting]
        for name, dtype in _PER_FRAME.items():
            rows: list[NDArray[Any]] = [np.asarray(getattr(clip, name), dtype) for clip in clips]
            np.save(part / f"{name}.npy", np.concatenate(rows))
        for name, dtype in _PER_LIFE.items():
            lives = [getattr(clip, name) for clip in clips if getattr(clip, name) is not None]
            parts = [np.asarray(life.reshape(-1, life.shape[-1]), dtype) for life in lives]
            np.save(part / f"{name}.npy", np.concatenate(parts) if parts else np.zeros((0, 1)))
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
        self._entries += _laid_out(self._waiting, number)
        self._waiting = []


def _laid_out(waiting: list[tuple[Clip, str, bool]], shard: int) -> list[Entry]:
    entries = []
    frame_row = life_row = keypoint_row = 0
    for clip, origin, flipped_life in waiting:
        frames, lives = len(clip.audio), len(clip.face)
        known = clip.keypoints is not None
        entries.append(
            Entry(
                name=clip.name,
                voice=clip.voice,
                split=clip.split,
                origin=origin,
                emotion=clip.emotion,
                flipped_life=flipped_life,
                shard=shard,
                frames=frames,
                frame_row=frame_row,
                lives=lives,
                life_row=life_row,
                keypoint_row=keypoint_row if known else None,
            )
        )
        frame_row += frames
        life_row += lives * frames
        keypoint_row += lives * frames * known
    return entries


def shard_folder(folder: Path, number: int) -> Path:
    """Where a shard's arrays lie."""
    return folder / f"shard-{number:04d}"


def read_index(folder: Path) -> dict[str, Any]:
    """The index. Raises `InvalidInputError` where there is none, or one of another format."""
    path = folder / INDEX
    if not path.exists():
        raise InvalidInputError("folder", f"{folder} holds no {INDEX}; `ditto data build` makes it")
    index = json.loads(path.read_text("utf-8"))
    if index.get("format") != FORMAT:
        found = index.get("format")
        raise InvalidInputError("folder", f"{path} has format {found}; this version reads {FORMAT}")
    return dict(index)


def read_clips(folder: Path) -> list[Clip]:
    """Every clip of a data folder; arrays stay on disk until they are touched.

    Raises `CorruptDataError` for a shard that is missing or shorter than the index says.
    """
    index = read_index(folder)
    shards: dict[int, dict[str, NDArray[Any]]] = {}
    clips = []
    for entry in (Entry(**row) for row in index["clips"]):
        if entry.shard not in shards:
            shards[entry.shard] = _open_shard(shard_folder(folder, entry.shard))
        clips.append(_clip(entry, shards[entry.shard]))
    return clips


def _open_shard(place: Path) -> dict[str, NDArray[Any]]:
    try:
        return {
            name: np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in (*_PER_FRAME, *_PER_LIFE)
        }
    except (OSError, ValueError) as error:
        raise CorruptDataError(f"{place}: {error}; remove it and build again") from None


def _clip(entry: Entry, shard: dict[str, NDArray[Any]]) -> Clip:
    rows = slice(entry.frame_row, entry.frame_row + entry.frames)
    fields: dict[str, Any] = {name: shard[name][rows] for name in _PER_FRAME}
    count = entry.lives * entry.frames
    for name in _PER_LIFE:
        start = entry.keypoint_row if name == "keypoints" else entry.life_row
        if start is None:
            continue
        part = shard[name][start : start + count]
        if len(part) != count:
            raise CorruptDataError(f"{entry.name}: {name} is cut short; build again")
        fields[name] = part.reshape(entry.lives, entry.frames, -1)
    if len(fields["audio"]) != entry.frames:
        raise CorruptDataError(f"{entry.name}: audio is cut short; build again")
    return Clip(
        name=entry.name, voice=entry.voice, split=entry.split, emotion=entry.emotion, **fields
    )
