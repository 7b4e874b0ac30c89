"""The pumps between the stages of one call, which an interrupt starts anew.

An interrupt closes the three stage sessions and opens new ones: nothing of the old speech is then
under way, the motion goes on from a pose that was shown, and an H.264 stream from a key frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ditto.errors import DittoError, StageUnavailableError
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import renderer_pb2 as render_pb
from gateway.call.degradation import Quality
from gateway.call.measure import CallMeasure
from gateway.call.motion_history import RewindPoint
from gateway.call.pipeline import Pipeline
from gateway.dropped_tasks import drop
from gateway.stages.call_stages import CallStages

Put = Callable[[render_pb.RenderedFrame], Awaitable[None]]
OpenAgain = Callable[[motion_pb.GenerateConfig], Awaitable[None]]
"""Opens the stages of a call anew, with these changes to what the motion stage is told."""


class Flow:
    """Writes to the stages of a call and carries what they give to one another."""

    def __init__(
        self, stages: CallStages, open_again: OpenAgain, measure: CallMeasure, quality: Quality
    ) -> None:
        self._stages = stages
        self._open_again = open_again
        self._measure = measure
        self._quality = quality
        self._writing = asyncio.Lock()
        self._restarting = asyncio.Lock()
        self._pipeline = Pipeline(stages, measure, quality)
        self._pumping: asyncio.Task[None] | None = None
        self._is_restarted = False

    @property
    def frames(self) -> int:
        """One past the last frame that was rendered."""
        return self._pipeline.frames

    async def run(self, put: Put) -> None:
        """Carry on until the last frame. Raises the error of the stage that failed."""
        while True:
            self._is_restarted = False
            self._pumping = asyncio.create_task(self._pump(self._pipeline, put))
            try:
                await asyncio.wait({self._pumping})
            finally:
                drop(self._pumping)
            async with self._restarting:  # not while the stages are being opened
                if not self._is_restarted:
                    break
        await self._pumping

    async def give(self, pcm: bytes) -> None:
        """Send speech to the encoder, where one takes part."""
        async with self._writing:
            if self._stages.audio is not None:
                await self._stages.audio.write(audio_pb.EncodeRequest(audio=pcm))

    async def finish(self) -> None:
        """There is no more speech, or motion; the last frames follow."""
        async with self._writing:
            (self._stages.audio or self._stages.motion).finish()

    async def to_motion(self, request: motion_pb.GenerateRequest) -> None:
        """Send a control or motion frames to the motion stage."""
        async with self._writing:
            await self._pipeline.to_motion(request)

    async def restart(self, kept: int, first_frame: int) -> RewindPoint:
        """Drop all that is under way; frame `first_frame` will follow frame `kept` in motion."""
        async with self._restarting:
            self._is_restarted = True
            if self._pumping:
                self._pumping.cancel()
                await asyncio.wait({self._pumping})
            self._stages.close()  # lets go of whoever waits to write to a busy stage
            async with self._writing:
                return await self._begin_again(kept, first_frame)

    async def _begin_again(self, kept: int, first_frame: int) -> RewindPoint:
        point = self._stages.history.rewind(kept)
        changes = motion_pb.GenerateConfig(
            checkpoint=point.checkpoint, history=point.history, first_frame=first_frame
        )
        await self._open_again(changes)
        self._pipeline = Pipeline(self._stages, self._measure, self._quality)
        for control in point.controls:
            await self._pipeline.to_motion(control)
        return point

    async def _pump(self, pipeline: Pipeline, put: Put) -> None:
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(pipeline.pump_features())
                pumps.create_task(pipeline.pump_motion())
                pumps.create_task(pipeline.pump_frames(put))
        except BaseExceptionGroup as group:
            raise cause(group) from None


def cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error to answer with: what a stage or the caller did wrong before who is gone."""
    errors = [e for e in group.exceptions if isinstance(e, DittoError)]
    specific = [e for e in errors if not isinstance(e, StageUnavailableError)]
    return next(iter([*specific, *errors, *group.exceptions]))
