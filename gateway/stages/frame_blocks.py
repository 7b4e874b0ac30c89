"""Arithmetic on frame blocks as they travel: which frames they hold, and a part of them."""

from __future__ import annotations

from ditto.v1.types_pb2 import FrameBlock

_FLOAT_BYTES = 4


def frames_in(block: FrameBlock) -> range:
    """Indices of a block's frames."""
    count = len(block.data) // (_FLOAT_BYTES * block.dim) if block.dim else 0
    return range(block.first_frame, block.first_frame + count)


def cut_before(block: FrameBlock, frame: int) -> range:
    """Cut in place what comes before a frame; the indices that are left."""
    past = len(range(block.first_frame, min(frame, frames_in(block).stop)))
    block.data = block.data[past * _FLOAT_BYTES * block.dim :]
    block.first_frame += past
    return frames_in(block)
