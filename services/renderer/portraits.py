"""Registered portraits: prepared once for each content, kept in the appearance cache."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from ditto import __version__
from ditto.errors import AtCapacityError
from ditto.media.image import ImageLimits
from ditto.media.portrait_video import VideoLimits
from ditto.serving import metrics
from ditto.serving.cache import Codec, Source, TieredCache
from ditto.serving.footprint import array_bytes
from ditto.serving.lru import ByteBoundedLru
from ditto.serving.memory import give_back_soon
from ditto.serving.redis_access import RedisAccess
from ditto.serving.redis_parts import PartedTier
from ditto.serving.stage import StageIdentity
from ditto.stages import Portrait, Renderer
from services.renderer.config import RendererConfig
from services.renderer.preparing import OnProgress, Preparation


@dataclass(frozen=True)
class Registered:
    """A portrait and where it came from."""

    content_key: str
    portrait: Portrait[Any]
    source: Source
    prepare_s: float
    """Time that preparing took; 0 when cached."""


class PortraitLibrary:
    """Finds, prepares and forgets portraits. Used from the event loop."""

    def __init__(
        self, renderer: Renderer[Any], identity: StageIdentity, config: RendererConfig
    ) -> None:
        self._renderer = renderer
        self._pack_tag = f"{identity.pack}\0{identity.pack_version}\0{identity.pack_hash}"
        self._preparation = Preparation(
            renderer,
            identity.pack,
            ImageLimits(bytes=config.portrait_bytes, pixels=config.portrait_pixels),
            VideoLimits(
                bytes=config.portrait_bytes,
                pixels=config.video_pixels,
                seconds=config.video_seconds,
                frame_rate=identity.frame_rate,
            ),
            config.pending_portraits,
        )
        self._most_pending = config.pending_portraits
        self._pending = 0
        redis = RedisAccess(config, config.insecure) if config.redis_url else None
        self._cache: TieredCache[Portrait[Any]] = TieredCache(
            f"ditto:{__version__}:appearance:{identity.pack}",
            Codec(renderer.dump_appearance, renderer.load_appearance),
            ByteBoundedLru(config.cache_local_bytes, array_bytes),
            PartedTier(redis, config.cache_ttl_seconds) if redis else None,
        )
        self._watching = asyncio.create_task(self._cache.watch())

    async def register(self, image: bytes, on_progress: OnProgress | None = None) -> Registered:
        """Prepare a portrait, a picture or a video, unless it is in the cache.

        ``on_progress`` hears how far a video is. Raises `InvalidInputError`, `FaceError` and
        `UnsupportedError` for what cannot be used, `AtCapacityError` when too many wait already,
        even for the same image: each holds its file.
        """
        if self._pending >= self._most_pending:
            raise AtCapacityError(f"{self._pending} portraits are waiting to be prepared already")
        self._pending += 1
        try:
            return await self._register(image, on_progress)
        finally:
            self._pending -= 1

    async def find(self, content_key: str) -> Registered | None:
        """A portrait that is in the cache."""
        found = await self._cache.get(content_key)
        return None if found is None else Registered(content_key, *found, prepare_s=0.0)

    async def forget(self, content_key: str) -> None:
        """Drop a portrait from every tier.

        Raises `StageUnavailableError` when the shared tier cannot be told so.
        """
        await self._cache.delete(content_key)

    async def close(self) -> None:
        """Stop the thread and close the cache."""
        self._watching.cancel()
        await asyncio.wait({self._watching})
        await self._preparation.close()
        await self._cache.close()

    async def _register(self, image: bytes, on_progress: OnProgress | None) -> Registered:
        key = await asyncio.to_thread(self._content_key, image)
        prepare_s = 0.0

        async def compute() -> Portrait[Any]:
            nonlocal prepare_s
            try:
                portrait, prepare_s = await self._preparation.run(image, on_progress)
            finally:
                give_back_soon()
            metrics.PREPARE.observe(prepare_s)
            return portrait

        portrait, source = await self._cache.get_or_compute(key, compute)
        return Registered(key, portrait, source, prepare_s)

    def _content_key(self, image: bytes) -> str:
        digest = hashlib.sha256(self._pack_tag.encode() + b"\0")
        digest.update(image)
        return digest.hexdigest()
