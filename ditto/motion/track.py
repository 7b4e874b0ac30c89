"""Motion tracks on disk: templates that drive a portrait, or that a gaze matrix is fitted to.

A track is an npz of plain arrays, head angles in degrees instead of bin logits: a tenth of the size
of its frames, and readable without this project. T frames at 25 a second.
"""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError, InvalidInputError
from ditto.motion.layout import EXPRESSION_DIM, FPS, Motion, pack, unpack

Array = NDArray[np.float32]

_SHAPES = {"scale": (), "pitch": (), "yaw": (), "roll": (), "t": (3,), "exp": (EXPRESSION_DIM,)}


def save_track(path: Path, frames: Array) -> None:
    """Write motion frames (T, 265)."""
    motion = unpack(frames)
    arrays = {field.name: getattr(motion, field.name) for field in fields(motion)}
    np.savez_compressed(path, allow_pickle=False, frame_rate=np.int64(FPS), **arrays)


def load_track(path: Path) -> Array:
    """Motion frames (T, 265) of a track.

    Raises `InvalidInputError` for a file that is none, `CorruptDataError` for a damaged one.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name], np.float32) for name in _SHAPES}
    except KeyError as error:
        raise InvalidInputError("track", f"{path} has no {error}; it is no motion track") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise CorruptDataError(f"{path}: {error}; it is damaged or no motion track") from None
    frames = len(arrays["scale"])
    for name, shape in _SHAPES.items():
        if arrays[name].shape != (frames, *shape) or not np.isfinite(arrays[name]).all():
            raise InvalidInputError(
                "track", f"{path}: {name} is {arrays[name].shape}, or not finite"
            )
    return pack(Motion(**arrays))


def onto(track: Array, reference: Array) -> Array:
    """A track (T, 265) on another face: its own motion (265,) plus the change since frame 0."""
    moved, own = unpack(track), unpack(reference[None])

    def relative(name: str) -> Array:
        values: Array = getattr(moved, name)
        at_rest: Array = getattr(own, name)
        return at_rest + (values - values[:1])

    scale = own.scale * moved.scale / moved.scale[:1]
    changed = {name: relative(name) for name in ("pitch", "yaw", "roll", "t", "exp")}
    return pack(Motion(scale=scale, **changed))
