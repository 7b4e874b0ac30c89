"""The pumps between the stages: features to motion, motion to frames, each in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from ditto.errors import DittoError
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from gateway.call_stages import CallStages
from gateway.degradation import Quality
from gateway.measure import CallMeasure
from gateway.motion_history import MotionHistory

_FLOAT_BYTES = 4


class Pipeline:
    """Carries blocks from one stage to the next and keeps account of frames and time."""

    def __init__(
        self,
        stages: CallStages,
        measure: CallMeasure,
        history: MotionHistory,
        quality: Quality,
        first_frame: int = 0,
    ) -> None:
        """`first_frame` is the index of the first frame that these stages give."""
        self._audio, self._motion, self._render = stages.audio, stages.motion, stages.render
        self._measure = measure
        self._history = history
        self._quality = quality
        self._first_frame = first_frame
        self._block_ends: deque[int] = deque()
        self._blocks_rendered = 0
        self.frames = first_frame
        """One past the last frame that was rendered."""

    async def to_motion(self, request: motion_pb.GenerateRequest) -> None:
        """Send a request to the motion stage."""
        self._history.sent(request)
        await self._motion.write(request)

    async def pump_features(self) -> None:
        """audio_encoder to motion_dit, until the speech is encoded."""
        expected = 0
        async for reply in self._audio.replies():
            features = reply.features
            expected = _next_frame(features.frames, expected, self._audio.peer)
            self._measure.step("audio_encoder", features.timing)
            self._audio.replay.confirmed(features.requests_taken, features.checkpoint)
            features.frames.first_frame += self._first_frame
            await self.to_motion(
                motion_pb.GenerateRequest(
                    features=features.frames, step_divisor=self._quality.step_divisor
                )
            )
        await self._motion.finish()

    async def pump_motion(self) -> None:
        """motion_dit to renderer, until the motion is complete."""
        expected = self._first_frame
        async for reply in self._motion.replies():
            motion = reply.motion
            expected = _next_frame(motion.frames, expected, self._motion.peer)
            self._measure.step("motion_dit", motion.timing)
            self._motion.replay.confirmed(motion.requests_taken, motion.checkpoint)
            self._history.received(expected, motion)
            self._block_ends.append(expected)
            await self._render.write(
                render_pb.RenderRequest(
                    motion=motion.frames, side_divisor=self._quality.side_divisor
                )
            )
        await self._render.finish()

    async def pump_frames(self, put: Callable[[render_pb.RenderedFrame], Awaitable[None]]) -> None:
        """renderer to `put`, until the last frame."""
        async for reply in self._render.replies():
            frame = reply.frame
            if frame.index != self.frames:
                raise _disorder(self._render.peer, frame.index, self.frames)
            self.frames += 1
            self._measure.step("renderer", frame.timing)
            self._confirm_rendered()
            await put(frame)

    def _confirm_rendered(self) -> None:
        if self._block_ends and self.frames >= self._block_ends[0]:
            self._block_ends.popleft()
            self._blocks_rendered += 1
            self._render.replay.confirmed(self._blocks_rendered)


def _next_frame(block: types.FrameBlock, expected: int, peer: str) -> int:
    """One past the block's last frame; it must begin where the last one ended."""
    if block.first_frame != expected or not block.dim:
        raise _disorder(peer, block.first_frame, expected)
    return expected + len(block.data) // (_FLOAT_BYTES * block.dim)


def _disorder(peer: str, got: int, expected: int) -> DittoError:
    return DittoError(f"{peer}: gave frame {got} where {expected} was expected")
