"""Loads the picture stage of a pack, warms it up, and puts the service around it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

import cv2

from ditto.errors import FaceError, SetupError
from ditto.media.video import H264Encoder
from ditto.packs import load as load_pack
from ditto.serving.server import Load
from ditto.serving.slots import SlotPool
from ditto.serving.stage import StageIdentity, StageService
from ditto.stages import Portrait, Renderer
from ditto.v1 import types_pb2
from ditto.v1.renderer_pb2_grpc import add_RendererServiceServicer_to_server
from services.renderer.config import RendererConfig
from services.renderer.drawn_face import draw_face
from services.renderer.pipeline import RenderPipeline
from services.renderer.portraits import PortraitLibrary
from services.renderer.servicer import RendererServicer
from services.renderer.session import RenderSession

log = logging.getLogger(__name__)

MODULE = "renderer"
WARM_UP_FRAMES = 3
WARM_UP_ENCODINGS = (types_pb2.VIDEO_ENCODING_JPEG, types_pb2.VIDEO_ENCODING_H264_FMP4)


def make_load(config: RendererConfig) -> Load:
    """The loader of a process with this configuration."""

    async def load() -> StageService:
        cv2.setNumThreads(1)
        _require_codec(config.h264_codec)
        pack = load_pack(config.pack, config.pack_options)
        renderer = await asyncio.to_thread(pack.renderer)
        await asyncio.to_thread(warm_up, renderer, pack.manifest.frame_rate, config.h264_codec)
        facts = pack.manifest
        identity = StageIdentity(
            MODULE, config.replica, facts.name, facts.version, pack.hash, facts.frame_rate
        )
        slots = SlotPool(MODULE, config.slots, config.reserved_slots, config.render_threads)
        library = PortraitLibrary(renderer, identity, config)
        pipeline = RenderPipeline(
            renderer, config.batch_limits, lambda: slots.live, config.render_threads
        )
        servicer = RendererServicer(renderer, identity, slots, library, pipeline, config)
        return StageService(
            identity,
            slots,
            "ditto.v1.RendererService",
            partial(add_RendererServiceServicer_to_server, servicer),
            status={"head_size": renderer.head_size},
            closers=[pipeline.close, library.close],
        )

    return load


def _require_codec(name: str) -> None:
    try:
        H264Encoder(64, 64, codec=name)
    except (ValueError, OSError) as error:
        raise SetupError(
            f"h264_codec: {name} cannot be used here ({error}); libx264 comes with PyAV"
        ) from error


def warm_up(renderer: Renderer[Any], frame_rate: int, h264_codec: str) -> None:
    """Prepare a drawn face and render it in every encoding: the first times are slow."""
    try:
        portrait = renderer.prepare(draw_face())
    except FaceError as error:
        log.info("warmed up without rendering", extra={"fields": {"why": str(error)}})
        return
    for encoding in WARM_UP_ENCODINGS:
        _render(
            renderer, portrait, types_pb2.VideoFormat(encoding=encoding), frame_rate, h264_codec
        )


def _render(
    renderer: Renderer[Any],
    portrait: Portrait[Any],
    video_format: types_pb2.VideoFormat,
    frame_rate: int,
    h264_codec: str,
) -> None:
    session = RenderSession(
        renderer, portrait, types_pb2.VIEW_FULL, video_format, frame_rate, h264_codec
    )
    for _ in range(WARM_UP_FRAMES):
        head = renderer.render_head(portrait.appearance, portrait.identity.reference_motion)
        session.encode(session.view_of(head, 0))
