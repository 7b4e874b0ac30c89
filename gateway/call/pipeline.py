"""The pumps between the stages: features to motion, motion to frames, each in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from gateway.call.degradation import Quality
from gateway.call.measure import CallMeasure
from gateway.stages.call_stages import CallStages
from gateway.stages.frame_blocks import cut_before


class Pipeline:
    """Carries blocks from one stage to the next and keeps account of frames and time."""

    def __init__(
        self,
        stages: CallStages,
        measure: CallMeasure,
        quality: Quality,
    ) -> None:
        self._audio, self._motion, self._render = stages.audio, stages.motion, stages.render
        self._measure = measure
        self._quality = quality

    @property
    def frames(self) -> int:
        """One past the last frame that was rendered."""
        return self._render.next_frame

    async def to_motion(self, request: motion_pb.GenerateRequest) -> None:
        """Send a request to the motion stage."""
        await self._motion.write(request)

    async def pump_features(self) -> None:
        """audio_encoder to motion_dit, until the speech is encoded."""
        if self._audio is None:
            return
        async for reply in self._audio.replies():
            features = reply.features
            self._measure.step("audio_encoder", features.timing)
            await self.to_motion(
                motion_pb.GenerateRequest(
                    features=features.frames, step_divisor=self._quality.step_divisor
                )
            )
        self._motion.finish()

    async def pump_motion(self) -> None:
        """motion_dit to renderer, until the motion is complete."""
        async for reply in self._motion.replies():
            motion = reply.motion
            self._measure.step("motion_dit", motion.timing)
            if not cut_before(motion.frames, self._render.next_frame):
                continue  # a caller who was served elsewhere has these frames
            await self._render.write(
                render_pb.RenderRequest(
                    motion=motion.frames, side_divisor=self._quality.side_divisor
                )
            )
        self._render.finish()

    async def pump_frames(self, put: Callable[[render_pb.RenderedFrame], Awaitable[None]]) -> None:
        """renderer to `put`, until the last frame."""
        async for reply in self._render.replies():
            self._measure.step("renderer", reply.frame.timing)
            await put(reply.frame)
