"""Frames of one session through two threads: one is encoded while the next is rendered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ditto.serving.batcher import Batcher, BatchLimits, Work
from ditto.serving.step_time import StepTime
from ditto.serving.steps import StepMeter
from ditto.serving.worker import ComputeThread
from ditto.stages import Array, BatchedRenderer, Image, Renderer
from services.renderer.encoders import EncodedFrame
from services.renderer.session import RenderSession


@dataclass(frozen=True)
class RenderStep:
    """One frame of one session."""

    session: RenderSession
    frame: int
    """Its index in the call."""
    motion: Array
    """(265,)"""


class RenderPipeline:
    """The threads that render and the one that encodes, shared by the sessions of the process."""

    def __init__(
        self,
        renderer: Renderer[Any],
        limits: BatchLimits,
        live_sessions: Callable[[], int],
        render_threads: int = 1,
    ) -> None:
        self._renders: Batcher[RenderStep, Image] = Batcher(
            "render",
            _render_work(renderer),
            _within_reach(renderer, limits),
            live_sessions,
            threads=render_threads,
        )
        self._encodes = ComputeThread("encode", limits.max_pending)

    async def frames(
        self,
        session: RenderSession,
        first_frame: int,
        motion: Array,
        meter: StepMeter,
        side_divisor: int = 1,
    ) -> AsyncGenerator[EncodedFrame, None]:
        """The pictures of motion (T, 265), numbered from ``first_frame`` on, in order.

        The meter gets what each took in both threads.

        While one is encoded and sent the next is rendered, and no more. Whoever stops early closes
        the iterator.
        """
        rendering: asyncio.Task[tuple[Image, StepTime]] | None = None
        try:
            for index in range(len(motion) + 1):
                rendered = None if rendering is None else await rendering
                rendering = None
                if index < len(motion):
                    step = RenderStep(session, first_frame + index, motion[index])
                    deadline_s = meter.deadline_s()
                    rendering = asyncio.create_task(self._renders.run(step, deadline_s))
                if rendered is not None:
                    image, took = rendered
                    frame, encode_took = await self._encodes.run(
                        session.encode, image, side_divisor
                    )
                    meter.add(took + encode_took)
                    yield frame
        finally:
            if rendering is not None:
                rendering.cancel()

    async def close(self) -> None:
        """End both threads."""
        await self._renders.close()
        await self._encodes.close()


def _within_reach(renderer: Renderer[Any], limits: BatchLimits) -> BatchLimits:
    """A renderer that draws one frame at a time gains nothing by waiting for another."""
    if isinstance(renderer, BatchedRenderer):
        return limits
    return BatchLimits(max_batch=1, max_wait_s=0, max_pending=limits.max_pending)


def _render_work(renderer: Renderer[Any]) -> Work[RenderStep, Image, Image]:
    def compute(steps: Sequence[RenderStep]) -> Sequence[Image]:
        appearances = [step.session.appearance_at(step.frame) for step in steps]
        if isinstance(renderer, BatchedRenderer) and len(steps) > 1:
            return renderer.render_heads(appearances, [step.motion for step in steps])
        return [
            renderer.render_head(appearance, step.motion)
            for appearance, step in zip(appearances, steps, strict=True)
        ]

    return Work(compute, lambda step, head: step.session.view_of(head, step.frame))
