"""Frame blocks on the wire and as arrays: T frames of D float32 numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ditto.errors import InvalidInputError, ProtocolError
from ditto.v1.types_pb2 import FrameBlock

Array = NDArray[np.float32]


def block_of(first_frame: int, frames: Array) -> FrameBlock:
    """Frames (T, D) as a message."""
    data = np.ascontiguousarray(frames, "<f4").tobytes()
    return FrameBlock(first_frame=first_frame, dim=frames.shape[1], data=data)


def frames_of(block: FrameBlock, dim: int, expected_first: int) -> Array:
    """A message as frames (T, D), read-only.

    Raises `InvalidInputError` for another width and for numbers that are not finite,
    `ProtocolError` when frames are missing, repeated or out of order.
    """
    if block.dim != dim:
        raise InvalidInputError("frames.dim", f"{block.dim}; this pack takes {dim}")
    if len(block.data) % (4 * dim):
        raise InvalidInputError(
            "frames.data", f"{len(block.data)} bytes; must be a multiple of {4 * dim}"
        )
    if block.first_frame != expected_first:
        raise ProtocolError(
            f"frames.first_frame is {block.first_frame}, but frame {expected_first} comes next"
        )
    frames = np.frombuffer(block.data, "<f4").reshape(-1, dim)
    if not np.isfinite(frames).all():
        raise InvalidInputError("frames.data", "holds NaN or infinite numbers; allowed: finite")
    return frames
