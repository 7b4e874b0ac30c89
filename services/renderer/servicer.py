"""The renderer service on the wire: messages to library and session calls and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from ditto.errors import InvalidInputError, ProtocolError
from ditto.media.portrait_video import is_video
from ditto.motion.layout import MOTION_DIM
from ditto.serving.face_identity import message_of
from ditto.serving.frames import frames_of
from ditto.serving.logging import set_call_id
from ditto.serving.requests import RequestReader
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity
from ditto.serving.steps import StepMeter
from ditto.stages import AnimatesVideos, Progress, Renderer
from ditto.v1.renderer_pb2 import (
    DropPortraitRequest,
    DropPortraitResponse,
    PortraitNeeded,
    PreparePortraitRequest,
    PreparePortraitResponse,
    PrepareVideoRequest,
    PrepareVideoResponse,
    RenderAccepted,
    RenderConfig,
    RenderedFrame,
    RenderRequest,
    RenderResponse,
)
from ditto.v1.renderer_pb2_grpc import RendererServiceServicer
from ditto.v1.types_pb2 import PrepareProgress
from services.renderer.config import RendererConfig
from services.renderer.pipeline import RenderPipeline
from services.renderer.portraits import PortraitLibrary, Registered
from services.renderer.session import RenderSession

Requests = RequestReader[RenderRequest]
_PROGRESS_S = 0.25
"""How often a caller hears how far a video is."""


class RendererServicer(RendererServiceServicer):
    """Prepares portraits, and renders the motion of several sessions."""

    def __init__(
        self,
        renderer: Renderer[Any],
        identity: StageIdentity,
        slots: SlotPool,
        library: PortraitLibrary,
        pipeline: RenderPipeline,
        config: RendererConfig,
    ) -> None:
        self._renderer = renderer
        self._identity = identity
        self._slots = slots
        self._library = library
        self._pipeline = pipeline
        self._config = config

    async def PreparePortrait(  # noqa: N802
        self, request: PreparePortraitRequest, context: Any
    ) -> PreparePortraitResponse:
        """Register a portrait."""
        return self._known(await self._library.register(request.portrait))

    async def PrepareVideo(  # noqa: N802
        self, request: PrepareVideoRequest, context: Any
    ) -> None:
        """Register a portrait video, and say how far it is."""
        if not is_video(request.video):
            raise InvalidInputError("video", "is no MP4 or WebM; allowed: a short one of a face")
        told: Progress | None = None
        latest: list[Progress] = []
        registering = asyncio.create_task(self._library.register(request.video, latest.append))
        try:
            while not (await asyncio.wait({registering}, timeout=_PROGRESS_S))[0]:
                if latest and latest[-1] != told:
                    told = latest[-1]
                    latest.clear()
                    progress = PrepareProgress(frames_done=told.frames_done, frames=told.frames)
                    await context.write(PrepareVideoResponse(progress=progress))
            await context.write(PrepareVideoResponse(prepared=self._known(await registering)))
        finally:
            registering.cancel()

    async def DropPortrait(  # noqa: N802
        self, request: DropPortraitRequest, context: Any
    ) -> DropPortraitResponse:
        """Forget a portrait."""
        await self._library.forget(request.content_key)
        return DropPortraitResponse()

    async def Render(  # noqa: N802
        self, request_iterator: AsyncIterator[RenderRequest], context: Any
    ) -> None:
        """One session."""
        reader: Requests = RequestReader(request_iterator, self._config.idle_seconds)
        first = await reader.first("config")
        if first.WhichOneof("request") != "config":
            raise ProtocolError("the first request must be `config`")
        set_call_id(first.config.call_id)
        with self._slots.take(first.config.moved, first.config.is_realtime):
            registered = await self._find(first.config.content_key, reader, context)
            session = self._open(first.config, registered)
            await context.write(RenderResponse(accepted=self._accepted(session, registered)))
            await self._render(session, reader, context)

    def _known(self, registered: Registered) -> PreparePortraitResponse:
        portrait = registered.portrait
        width, height = self._renderer.full_size(portrait.appearance)
        return PreparePortraitResponse(
            content_key=registered.content_key,
            identity=message_of(portrait.identity),
            width=width,
            height=height,
            warnings=portrait.warnings,
            source=registered.source,
            prepare_ms=registered.prepare_s * 1000,
            source_frames=self._source_frames(registered),
        )

    async def _find(self, content_key: str, reader: Requests, context: Any) -> Registered:
        found = await self._library.find(content_key) if content_key else None
        if found is not None:
            return found
        await context.write(RenderResponse(portrait_needed=PortraitNeeded()))
        answer = await reader.first("portrait")
        if answer.WhichOneof("request") != "portrait":
            raise ProtocolError("`portrait_needed` must be answered with `portrait`")
        registered = await self._library.register(answer.portrait)
        if content_key not in ("", registered.content_key):
            raise InvalidInputError("portrait", f"is not the image of content key {content_key}")
        return registered

    def _open(self, config: RenderConfig, registered: Registered) -> RenderSession:
        return RenderSession(
            self._renderer,
            registered.portrait,
            config.view,
            config.video_format,
            self._identity.frame_rate,
            self._config.h264_codec,
        )

    def _accepted(self, session: RenderSession, registered: Registered) -> RenderAccepted:
        width, height = session.size
        return RenderAccepted(
            session=self._identity.accepted(),
            width=width,
            height=height,
            source=registered.source,
            source_frames=self._source_frames(registered),
        )

    def _source_frames(self, registered: Registered) -> int:
        if not isinstance(self._renderer, AnimatesVideos):
            return 1
        return self._renderer.source_frames(registered.portrait.appearance)

    async def _render(self, session: RenderSession, reader: Requests, context: Any) -> None:
        meter = StepMeter(self._identity, self._slots.load)
        next_index: int | None = None
        async for request in reader:
            if request.WhichOneof("request") != "motion":
                raise ProtocolError("once accepted, every request must be `motion`")
            block = request.motion
            expected = block.first_frame if next_index is None else next_index
            motion = frames_of(block, MOTION_DIM, expected)
            pictures = self._pipeline.frames(session, expected, motion, meter, request.side_divisor)
            async with aclosing(pictures) as frames:
                index = expected
                async for frame in frames:
                    message = RenderedFrame(
                        index=index,
                        data=frame.data,
                        keyframe=frame.is_keyframe,
                        width=frame.width,
                        height=frame.height,
                        timing=meter.timing(1),
                    )
                    await context.write(RenderResponse(frame=message))
                    index += 1
            next_index = index
