"""Frames of one session through two threads: one is encoded while the next is rendered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from ditto.serving.worker import ComputeThread, StepTime
from ditto.stages import Array, Image
from services.renderer.encoders import EncodedFrame
from services.renderer.session import RenderSession

Encoding = asyncio.Task[tuple[EncodedFrame, StepTime]]


class RenderPipeline:
    """The two threads, shared by the sessions of the process."""

    def __init__(self, max_pending: int) -> None:
        self.renders = ComputeThread("render", max_pending)
        self.encodes = ComputeThread("encode", max_pending)

    async def frames(
        self, session: RenderSession, motion: Array
    ) -> AsyncGenerator[tuple[EncodedFrame, StepTime], None]:
        """The pictures of motion (T, 265) in order, each with what it took in both threads.

        At most one picture waits for its encoding. Whoever stops early closes the iterator.
        """
        encoding: Encoding | None = None
        try:
            for row in motion:
                image, rendered = await self.renders.run(session.render, row)
                if encoding is not None:
                    yield await encoding
                encoding = asyncio.create_task(self._encode(session, image, rendered))
            if encoding is not None:
                yield await encoding
        finally:
            if encoding is not None:
                encoding.cancel()

    async def close(self) -> None:
        """End both threads."""
        await self.renders.close()
        await self.encodes.close()

    async def _encode(
        self, session: RenderSession, image: Image, rendered: StepTime
    ) -> tuple[EncodedFrame, StepTime]:
        encoded, took = await self.encodes.run(session.encode, image)
        return encoded, rendered + took
