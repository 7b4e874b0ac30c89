"""Who speaks in a call: a portrait that was sent, or a registered one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from grpc.aio import AioRpcError

from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import renderer_pb2 as render_pb
from ditto.v1 import types_pb2 as types
from ditto.v1.renderer_pb2_grpc import RendererServiceStub
from gateway.avatars import AvatarStore, Preparation
from gateway.replicas import Replica, ReplicaPool


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

    def __init__(self, renderers: ReplicaPool, store: AvatarStore, prepare_s: float) -> None:
        self._renderers = renderers
        self._store = store
        self._prepare_s = prepare_s

    async def find(self, config: pb.AnimateConfig) -> PreparedAvatar:
        """The avatar that a checked configuration names or brings."""
        if config.WhichOneof("avatar") == "portrait":
            return await self.prepare(config.portrait, config.pack)
        avatar = await asyncio.to_thread(self._store.get, config.avatar_id)
        portrait = await asyncio.to_thread(self._store.portrait, avatar)
        pack_hash = self.pack_hash(config.pack)
        if known := avatar.preparations.get(pack_hash):
            return PreparedAvatar(portrait, known)
        prepared = await self.prepare(portrait, config.pack)
        await asyncio.to_thread(self._store.add_preparation, avatar, pack_hash, prepared.known)
        return prepared

    async def prepare(self, portrait: bytes, pack: str) -> PreparedAvatar:
        """Let a renderer find the face. Raises `FaceError` or `InvalidInputError` for bad ones."""

        async def ask(replica: Replica) -> render_pb.PreparePortraitResponse:
            stub = RendererServiceStub(replica.channel)  # type: ignore[no-untyped-call]
            request = render_pb.PreparePortraitRequest(portrait=portrait)
            try:
                reply: render_pb.PreparePortraitResponse = await stub.PreparePortrait(
                    request, timeout=self._prepare_s
                )
                return reply
            except AioRpcError as error:
                raise error_from_rpc(error, f"renderer at {replica.address}") from None

        reply = await self._renderers.first_that(pack, ask)
        return PreparedAvatar(portrait, _known(reply), reply.source, reply.prepare_ms)

    async def drop(self, content_keys: set[str]) -> None:
        """Purge the cached features of portraits from every renderer and the cache behind them."""
        for replica in self._renderers.healthy():
            stub = RendererServiceStub(replica.channel)  # type: ignore[no-untyped-call]
            for key in content_keys:
                request = render_pb.DropPortraitRequest(content_key=key)
                try:
                    await stub.DropPortrait(request, timeout=self._prepare_s)
                except AioRpcError as error:
                    raise error_from_rpc(error, f"renderer at {replica.address}") from None

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
    )
