"""Who speaks in a call: a portrait that was sent, or a registered one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from grpc.aio import AioRpcError

from ditto.errors import StageUnavailableError
from ditto.media.portrait_video import is_video
from ditto.serving.errors import error_from_rpc
from ditto.serving.tracing import trace_metadata
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from gateway.access.tenants import current_tenant
from gateway.avatars import AvatarStore, Preparation
from gateway.stages.replicas import Replica, ReplicaPool

_DROP_S = 5.0
"""Longest wait for a renderer to forget a portrait."""
OnProgress = Callable[[types.PrepareProgress], Awaitable[None]]


@dataclass(frozen=True)
class PreparedAvatar:
    """A portrait and all that the stages must know of it."""

    portrait: bytes
    known: Preparation
    source: str = ""
    """local, redis or computed; empty where no renderer was asked."""
    prepare_ms: float = 0.0

    @property
    def identity(self) -> types.FaceIdentity:
        """What the motion stage must know."""
        return types.FaceIdentity(
            canonical_keypoints=self.known.canonical_keypoints,
            reference_motion=self.known.reference_motion,
            eye_state=self.known.eye_state,
        )


class PortraitDesk:
    """Prepares portraits on the renderers and remembers registered ones in the store."""

    def __init__(
        self, renderers: ReplicaPool, store: AvatarStore, prepare_s: float, prepare_video_s: float
    ) -> None:
        """Longest waits for a picture to be prepared, and for a video."""
        self._renderers = renderers
        self._store = store
        self._prepare_s = prepare_s
        self._prepare_video_s = prepare_video_s

    async def find(self, config: pb.AnimateConfig) -> PreparedAvatar:
        """The avatar that a checked configuration names or brings."""
        if config.WhichOneof("avatar") == "portrait":
            return await self.prepare(config.portrait, config.pack)
        avatar = await asyncio.to_thread(self._store.get, current_tenant(), config.avatar_id)
        portrait = await asyncio.to_thread(self._store.portrait, avatar)
        pack_hash = self.pack_hash(config.pack)
        known = avatar.preparations.get(pack_hash)
        if known and known.source_frames == 1:  # a video that is in no cache must not wait later
            return PreparedAvatar(portrait, known)
        prepared = await self.prepare(portrait, config.pack)
        await asyncio.to_thread(self._store.add_preparation, avatar, pack_hash, prepared.known)
        return prepared

    def longest_s(self, portrait: bytes) -> float:
        """How long a renderer may take to prepare a portrait."""
        return self._prepare_video_s if is_video(portrait) else self._prepare_s

    async def prepare(
        self, portrait: bytes, pack: str, on_progress: OnProgress | None = None
    ) -> PreparedAvatar:
        """Let a renderer find the face. Raises `FaceError` or `InvalidInputError` for bad ones.

        ``on_progress`` hears how far a video is.
        """

        async def ask_video(replica: Replica) -> render_pb.PreparePortraitResponse:
            stub = RendererServiceStub(replica.channel)  # type: ignore[no-untyped-call]
            request = render_pb.PrepareVideoRequest(video=portrait)
            reply = render_pb.PrepareVideoResponse()
            try:
                async for reply in stub.PrepareVideo(
                    request, timeout=self._prepare_video_s, metadata=trace_metadata()
                ):
                    if reply.HasField("progress") and on_progress is not None:
                        await on_progress(reply.progress)
            except AioRpcError as error:
                raise error_from_rpc(error, f"renderer at {replica.address}") from None
            return reply.prepared

        async def ask(replica: Replica) -> render_pb.PreparePortraitResponse:
            stub = RendererServiceStub(replica.channel)  # type: ignore[no-untyped-call]
            request = render_pb.PreparePortraitRequest(portrait=portrait)
            try:
                reply: render_pb.PreparePortraitResponse = await stub.PreparePortrait(
                    request, timeout=self._prepare_s, metadata=trace_metadata()
                )
                return reply
            except AioRpcError as error:
                raise error_from_rpc(error, f"renderer at {replica.address}") from None

        reply = await self._renderers.first_that(pack, ask_video if is_video(portrait) else ask)
        return PreparedAvatar(portrait, _known(reply), reply.source, reply.prepare_ms)

    async def drop(self, content_key: str) -> None:
        """Purge a portrait's features from every renderer, well or not, and the cache behind them.

        Raises `StageUnavailableError` naming the renderers that may still have them.
        """

        async def tell(replica: Replica) -> str | None:
            stub = RendererServiceStub(replica.channel)  # type: ignore[no-untyped-call]
            request = render_pb.DropPortraitRequest(content_key=content_key)
            try:
                await stub.DropPortrait(request, timeout=_DROP_S)
            except AioRpcError as error:
                return f"renderer at {replica.address}: {error.details()}"
            return None

        replicas = self._renderers.known()
        failures = list(filter(None, await asyncio.gather(*map(tell, replicas))))
        if failures or not replicas:
            raise StageUnavailableError(
                "the avatar is deleted, but its features may still be cached: they are purged as "
                f"soon as these answer: {'; '.join(failures) or 'any renderer'}"
            )

    def pack_hash(self, pack: str) -> str:
        """Hash of the pack that a new session would get; empty while nobody serves it."""
        replicas = self._renderers.healthy(pack)
        return replicas[0].status.pack_hash if replicas else ""


def _known(reply: render_pb.PreparePortraitResponse) -> Preparation:
    return Preparation(
        content_key=reply.content_key,
        canonical_keypoints=tuple(reply.identity.canonical_keypoints),
        reference_motion=tuple(reply.identity.reference_motion),
        eye_state=tuple(reply.identity.eye_state),
        width=reply.width,
        height=reply.height,
        warnings=tuple(reply.warnings),
        source_frames=reply.source_frames or 1,
    )
