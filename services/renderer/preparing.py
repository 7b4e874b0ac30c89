"""From a portrait's bytes to its appearance: a picture in one job, a video picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ditto.errors import UnsupportedError
from ditto.media.image import ImageLimits, decode_portrait
from ditto.media.portrait_video import PortraitVideo, VideoLimits, is_video
from ditto.serving.worker import ComputeThread
from ditto.stages import AnimatesVideos, Portrait, Progress, Renderer

OnProgress = Callable[[Progress], None]
_Steps = Generator[Progress, None, Portrait[Any]]


class Preparation:
    """Prepares portraits in one thread; a video lets others in between two of its pictures."""

    def __init__(
        self,
        renderer: Renderer[Any],
        pack: str,
        image_limits: ImageLimits,
        video_limits: VideoLimits,
        max_pending: int,
    ) -> None:
        self._renderer = renderer
        self._pack = pack
        self._image_limits, self._video_limits = image_limits, video_limits
        self._thread = ComputeThread("prepare", max_pending)

    async def run(
        self, data: bytes, on_progress: OnProgress | None = None
    ) -> tuple[Portrait[Any], float]:
        """The portrait, and the seconds of computing it took.

        Raises `InvalidInputError` and `FaceError` for what cannot be used, `UnsupportedError` for a
        video with a pack that does not animate any.
        """
        if not is_video(data):
            portrait, took = await self._thread.run(self._prepare_image, data)
            return portrait, took.compute_s
        steps, took = await self._thread.run(self._begin_video, data)
        compute_s = took.compute_s
        while True:
            made, took = await self._thread.run(_step, steps)
            compute_s += took.compute_s
            if isinstance(made, Portrait):
                return made, compute_s
            if on_progress is not None:
                on_progress(made)

    async def close(self) -> None:
        """Stop the thread."""
        await self._thread.close()

    def _prepare_image(self, data: bytes) -> Portrait[Any]:
        return self._renderer.prepare(decode_portrait(data, self._image_limits))

    def _begin_video(self, data: bytes) -> _Steps:
        if not isinstance(self._renderer, AnimatesVideos):
            raise UnsupportedError(
                f"portrait: is a video, and pack {self._pack} animates pictures only; send one"
            )
        return self._renderer.prepare_video(PortraitVideo(data, self._video_limits))


def _step(steps: _Steps) -> Progress | Portrait[Any]:
    try:
        return next(steps)
    except StopIteration as end:
        portrait: Portrait[Any] = end.value
        return portrait
