"""The last seconds of a call's motion, so that an interrupt can go back to a pose that was shown.

Bounded: checkpoints, features and controls of `HISTORY_FRAMES`. Going back to a frame takes the
last checkpoint at or before its end, and the features in between.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types

HISTORY_FRAMES = 250
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class RewindPoint:
    """What a new motion session needs to go on behind a frame."""

    checkpoint: bytes
    history: types.FrameBlock
    controls: tuple[motion_pb.GenerateRequest, ...]
    """Controls that the checkpoint does not know of."""


@dataclass(frozen=True)
class _Checkpoint:
    end: int
    """One past its last frame."""
    data: bytes
    requests: int
    """Requests of the call that it covers."""


class MotionHistory:
    """Follows what goes to the motion stage and comes back."""

    def __init__(self) -> None:
        self._checkpoints = deque([_Checkpoint(0, b"", 0)])
        self._features: deque[tuple[int, bytes]] = deque(maxlen=2 * HISTORY_FRAMES)
        self._controls: deque[tuple[int, motion_pb.GenerateRequest]] = deque(maxlen=HISTORY_FRAMES)
        self._dim = 0
        self._requests = 0
        self._before_session = 0

    def sent(self, request: motion_pb.GenerateRequest) -> None:
        """A request goes to the motion stage."""
        self._requests += 1
        if request.HasField("control"):
            self._controls.append((self._requests, request))
        elif request.HasField("features"):
            block = request.features
            self._dim = block.dim
            width = _FLOAT_BYTES * block.dim
            for row in range(len(block.data) // width):
                data = block.data[row * width : (row + 1) * width]
                self._features.append((block.first_frame + row, data))

    def received(self, end: int, motion: motion_pb.GeneratedMotion) -> None:
        """Motion up to frame `end`, which is not in it, has come back."""
        if motion.checkpoint:
            requests = self._before_session + motion.requests_taken
            self._checkpoints.append(_Checkpoint(end, motion.checkpoint, requests))
        while len(self._checkpoints) > 1 and self._checkpoints[1].end <= end - HISTORY_FRAMES:
            self._checkpoints.popleft()

    def nearest(self, frame: int) -> int:
        """The frame, or the first one that can still be gone back to."""
        return max(frame, self._checkpoints[0].end - 1)

    def rewind(self, frame: int) -> RewindPoint:
        """Forget what came after a frame; what is needed to go on behind it."""
        while self._checkpoints[-1].end > frame + 1 and len(self._checkpoints) > 1:
            self._checkpoints.pop()
        last = self._checkpoints[-1]
        while self._features and self._features[-1][0] > frame:
            self._features.pop()
        rows = [(at, data) for at, data in self._features if at >= last.end]
        block = types.FrameBlock()
        if rows:
            joined = b"".join(data for _, data in rows)
            block = types.FrameBlock(first_frame=rows[0][0], dim=self._dim, data=joined)
        missed = tuple(control for number, control in self._controls if number > last.requests)
        while self._controls and self._controls[-1][0] > last.requests:
            self._controls.pop()
        self._before_session = self._requests
        return RewindPoint(last.data, block, missed)
