"""A registered portrait video: S stored appearances, of which the few in use are ready to draw."""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.face.paste import PasteRegion, plan_paste
from ditto.motion.mirror import mirror_index
from ditto.packs.starter.renderer.appearance import Appearance
from ditto.packs.starter.renderer.archive import Arrays, dump_arrays, load_arrays
from ditto.packs.starter.renderer.grid import HEAD_SIZE
from ditto.packs.starter.renderer.warp import window_pixels

Key = TypeVar("Key")
Value = TypeVar("Value")

MAGIC = b"DSRV"
_HEAD = struct.Struct("<4sI")
_LENGTH = struct.Struct("<Q")
_MOST_FRAMES = 4096
_READY = 3
"""Appearances kept ready to draw, of some 15 MB each: the calls of a video share those of one
moment, and the turning points repeat a frame."""
_WINDOW_STEP_PX = 32
"""Paste regions are planned for windows of such steps: the plans of neighbours are the same."""
_REGIONS = 4
_FASTEST = 1


def pack_frame(arrays: Arrays) -> bytes:
    """One source frame as it is stored: a third of its size, for 6 ms when it is drawn."""
    return zlib.compress(dump_arrays(arrays), _FASTEST)


def unpack_frame(data: bytes | memoryview) -> Arrays:
    """Inverse of `pack_frame`. Raises `CorruptDataError`."""
    try:
        return load_arrays(zlib.decompress(data))
    except zlib.error as error:
        raise CorruptDataError(f"frame of a portrait video: {error}") from None


class VideoAppearance:
    """The archives of S source frames, as they are stored."""

    def __init__(self, archives: Sequence[bytes | memoryview]) -> None:
        self._archives: list[NDArray[np.uint8]] = [np.frombuffer(a, np.uint8) for a in archives]
        self._ready: OrderedDict[int, Appearance] = OrderedDict()
        self._regions: OrderedDict[tuple[int, ...], PasteRegion] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._archives)

    def at(self, frame: int) -> Appearance:
        """What output frame ``frame`` is drawn from.

        Raises `CorruptDataError` when the stored bytes are damaged.
        """
        source = int(mirror_index(frame, len(self._archives)))
        with self._lock:
            if source not in self._ready:
                appearance = Appearance(unpack_frame(self._archives[source].data))
                appearance.paste_region = self._region(appearance)
                _keep(self._ready, source, appearance, _READY)
            return self._ready[source]

    def _region(self, appearance: Appearance) -> PasteRegion:
        window = np.array(window_pixels(appearance.lattice.window)) / _WINDOW_STEP_PX
        outward = np.r_[np.floor(window[:2]), np.ceil(window[2:])] * _WINDOW_STEP_PX
        x0, y0, x1, y1 = (int(side) for side in outward.clip(0, HEAD_SIZE))
        if (x0, y0, x1, y1) not in self._regions:
            crop = np.asarray(appearance.arrays["portrait_crop"], np.float32)
            height, width = (int(side) for side in appearance.arrays["portrait_shape"])
            region = plan_paste(crop, HEAD_SIZE, (x0, y0, x1, y1), (height, width))
            _keep(self._regions, (x0, y0, x1, y1), region, _REGIONS)
        return self._regions[x0, y0, x1, y1]

    def dump(self) -> bytes:
        """All archives as one block."""
        lengths = b"".join(_LENGTH.pack(archive.nbytes) for archive in self._archives)
        archives = (archive.data for archive in self._archives)
        return b"".join([_HEAD.pack(MAGIC, len(self._archives)), lengths, *archives])


def _keep(entries: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    entries[key] = value
    while len(entries) > most:
        entries.popitem(last=False)


def split(data: bytes) -> list[memoryview]:
    """The archives in a dumped video. Raises `CorruptDataError` when their lengths do not fit."""
    try:
        magic, frames = _HEAD.unpack_from(data)
        if magic != MAGIC or not 1 <= frames <= _MOST_FRAMES:
            raise CorruptDataError("no portrait video of this renderer")
        lengths = [
            _LENGTH.unpack_from(data, _HEAD.size + _LENGTH.size * frame)[0]
            for frame in range(frames)
        ]
    except struct.error as error:
        raise CorruptDataError(f"portrait video that is cut short: {error}") from None
    ends = _HEAD.size + _LENGTH.size * frames + np.cumsum([0, *lengths])
    if ends[-1] != len(data):
        raise CorruptDataError(f"portrait video of {len(data)} bytes instead of {ends[-1]}")
    return [memoryview(data)[a:b] for a, b in pairwise(ends)]
