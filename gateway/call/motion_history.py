"""The last seconds of a call's motion, so that an interrupt can go back to a pose that was shown.

Bounded: checkpoints, features and controls of `HISTORY_FRAMES`. Going back to a frame takes the
last checkpoint at or before its end, and the features in between. A session that must start over,
because no replica can read its checkpoint, follows the last features again without one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ditto.errors import StageUnavailableError
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types
from gateway.resume.resume_ledger import ResumeLedger
from gateway.stages.frame_blocks import cut_before
from gateway.stages.standing_control import standing_with

HISTORY_FRAMES = 250
CONTEXT_FRAMES = 75
"""What a session that starts over follows again before its first new frame."""
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

    def __init__(self, ledger: ResumeLedger) -> None:
        """`ledger` is told of what it needs of this."""
        self._ledger = ledger
        self._checkpoints = deque([_Checkpoint(0, b"", 0)])
        self._features: deque[tuple[int, bytes]] = deque(maxlen=2 * HISTORY_FRAMES)
        self._controls: deque[tuple[int, motion_pb.GenerateRequest]] = deque(maxlen=HISTORY_FRAMES)
        self._standing = types.MotionControl()
        self._first_motion = types.FrameBlock()
        self._dim = 0
        self._requests = 0
        self._before_session = 0

    def resume(self, end: int, checkpoint: bytes) -> None:
        """Go on in a call that made the frames before `end` elsewhere."""
        self._checkpoints = deque([_Checkpoint(end, checkpoint, 0)])

    def sent(self, request: motion_pb.GenerateRequest) -> None:
        """A request goes to the motion stage."""
        self._requests += 1
        self._ledger.asked(self._requests, request)
        if request.HasField("control"):
            self._controls.append((self._requests, request))
            self._standing = standing_with(self._standing, request.control)
        elif request.HasField("motion"):
            self._keep_first(request.motion)
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
            self._ledger.moved(end, requests, motion.checkpoint)
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
        block = self._block(last.end, frame + 1)
        missed = tuple(control for number, control in self._controls if number > last.requests)
        while self._controls and self._controls[-1][0] > last.requests:
            self._controls.pop()
        self._before_session = self._requests
        return RewindPoint(last.data, block, missed)

    def start_over(self, config: motion_pb.GenerateConfig, frame: int) -> None:
        """Make of a session's first settings those of one that goes on at a frame without a
        checkpoint: not with the same motion, but with that speech, these controls and no gap."""
        config.ClearField("checkpoint")
        config.control.CopyFrom(standing_with(config.control, self._standing))
        config.first_frame = frame - bool(self._first_motion.dim and frame)
        config.history.CopyFrom(self._block(frame - CONTEXT_FRAMES, frame))

    def inputs_after(
        self, frame: int, unanswered: Sequence[motion_pb.GenerateRequest]
    ) -> list[motion_pb.GenerateRequest]:
        """What such a session is then sent: features, or motion behind the frame that it is
        relative to, and before them the controls that are not due yet."""
        requests = [each for each in unanswered if each.control.from_frame > frame]
        if self._first_motion.dim or any(each.idle_frames for each in unanswered):
            return requests + self._driving(frame, unanswered)
        newest = self._features[-1][0] if self._features else -1
        block = self._block(frame, newest + 1)
        if newest >= frame and block.first_frame != frame:
            raise StageUnavailableError("motion_dit: the speech of the lost frames is not known")
        return [*requests, motion_pb.GenerateRequest(features=block)] if block.data else requests

    def _driving(
        self, frame: int, unanswered: Sequence[motion_pb.GenerateRequest]
    ) -> list[motion_pb.GenerateRequest]:
        first = types.FrameBlock(
            first_frame=frame - 1, dim=self._first_motion.dim, data=self._first_motion.data
        )
        kept = [motion_pb.GenerateRequest.FromString(r.SerializeToString()) for r in unanswered]
        kept = [each for each in kept if each.idle_frames or cut_before(each.motion, frame)]
        if frame and self._first_motion.dim:
            kept.insert(0, motion_pb.GenerateRequest(motion=first))
        return kept

    def _keep_first(self, motion: types.FrameBlock) -> None:
        if not self._first_motion.dim:
            row = motion.data[: _FLOAT_BYTES * motion.dim]
            self._first_motion = types.FrameBlock(dim=motion.dim, data=row)

    def _block(self, begin: int, end: int) -> types.FrameBlock:
        """Features of the frames from `begin` to before `end`, as far as they are kept."""
        rows = [(at, data) for at, data in self._features if begin <= at < end]
        if not rows:
            return types.FrameBlock()
        joined = b"".join(data for _, data in rows)
        return types.FrameBlock(first_frame=rows[0][0], dim=self._dim, data=joined)
