"""A registered portrait of this pack, and its bytes for the cache."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.face.reference_paste import PasteRegion
from ditto.motion.stitch import StitchSource
from ditto.stages import FaceIdentity, Image

Arrays = dict[str, NDArray[Any]]

FIELDS = ("image", "to_image", "volume", "motion", "keypoints", "eye_state", "warnings")
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Appearance:
    """Everything that rendering needs of a portrait."""

    arrays: Arrays
    """What is stored; all else follows from it."""
    stitched: StitchSource
    warp_source: Any
    """What the warp needs, where the networks run."""
    region: PasteRegion

    @property
    def image(self) -> Image:
        """The whole portrait (H, W, 3)."""
        return self.arrays["image"]


def identity_of(arrays: Arrays) -> FaceIdentity:
    """What the motion stage is told."""
    return FaceIdentity(arrays["keypoints"], arrays["motion"], arrays["eye_state"])


def encode_warnings(warnings: tuple[str, ...]) -> NDArray[np.uint8]:
    """Warnings as an array."""
    return np.frombuffer(json.dumps(warnings).encode(), np.uint8)


def decode_warnings(array: NDArray[np.uint8]) -> tuple[str, ...]:
    """Inverse of `encode_warnings`."""
    return tuple(json.loads(array.tobytes()))


def dump_arrays(arrays: Arrays) -> bytes:
    """A zip file of plain arrays; each part carries its checksum."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def load_arrays(data: bytes) -> Arrays:
    """Inverse of `dump_arrays`; nothing executes. Raises `CorruptDataError`."""
    if len(data) > _MAX_BYTES:
        raise CorruptDataError(f"no appearance: {len(data)} bytes")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in FIELDS}
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError) as error:
        raise CorruptDataError(f"no appearance of this pack, or damaged: {error}") from error
