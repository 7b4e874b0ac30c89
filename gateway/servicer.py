"""The public service on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import Any

from ditto import __version__
from ditto.serving import metrics
from ditto.serving.logging import current_call_id, set_call_id
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceServicer
from ditto.v1.motion_dit_pb2 import GenerateConfig
from gateway import limits
from gateway.access.tenants import counting_video, current_caller, current_tenant
from gateway.admission import admit, stage_configs
from gateway.avatars import AvatarStore, StoredAvatar
from gateway.call.measure import CallMeasure
from gateway.call.outbox import Outbox
from gateway.call.session import Session
from gateway.call.session_parts import OpenCall
from gateway.clock import Clock
from gateway.config import GatewayConfig
from gateway.handshakes import Handshakes
from gateway.live_calls import LiveCalls
from gateway.packs import frame_rates, offered_packs
from gateway.portraits import OnProgress, PortraitDesk, PreparedAvatar
from gateway.purges import Purger
from gateway.resume.resume_points import facts_of
from gateway.resume.resume_token import TokenSeal
from gateway.resume.resumption import Resumption, resumption
from gateway.stages.call_stages import CallStages, FirstFrames, StagePools
from gateway.validation import effective_config, known_pack


class AnimationServicer(AnimationServiceServicer):
    """Answers callers; the stages do the work."""

    def __init__(
        self,
        config: GatewayConfig,
        pools: StagePools,
        store: AvatarStore,
        live: LiveCalls,
        clock: Clock,
    ) -> None:
        self._config = config
        self._pools = pools
        self._store = store
        self._live = live
        self._clock = clock
        self.handshakes = Handshakes(config.handshake_timeout_seconds)
        self._desk = PortraitDesk(
            pools.renderer, store, config.prepare_seconds, config.prepare_video_seconds
        )
        self._seal = TokenSeal(store.secret, config.resume_seconds)
        self.purger = Purger(store, self._desk)

    async def Animate(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.AnimateRequest], context: Any
    ) -> None:
        """One talking head."""
        first = self.handshakes.config(request_iterator, "request")
        await self.converse(first, request_iterator, context)

    async def converse(
        self,
        first: Awaitable[pb.AnimateConfig],
        requests: AsyncIterator[pb.AnimateRequest],
        context: Any,
    ) -> None:
        """A call that begins with the settings ``first``, then has ``requests``. The settings
        are awaited here, so that nobody else keeps their portrait for the length of the call."""
        measure = CallMeasure(self._clock)
        outbox = Outbox(counting_video(context.write), self._clock)
        stages = CallStages(self._config)
        try:
            asked, avatar, going_on = await self._admitted(await first, stages)
            session = self._session(asked, avatar, stages, outbox, measure, going_on)
            with self._live.holding(session):
                await outbox.send(self._started(asked, avatar, session, stages))
                await session.resume()
                await session.run(requests)
            await outbox.send(pb.AnimateResponse(stats=measure.stats()))
        finally:
            stages.close()
            for move in stages.take_moves():
                measure.moved(move)
            context.set_trailing_metadata(measure.trailers())

    async def RegisterAvatar(  # noqa: N802
        self, request: pb.RegisterAvatarRequest, context: Any
    ) -> pb.RegisterAvatarResponse:
        """Prepare a portrait and keep it."""
        limits.check_portrait(request.portrait, self._config)
        return await self._register(request.portrait, request.pack)

    async def RegisterVideo(  # noqa: N802
        self, request: pb.RegisterVideoRequest, context: Any
    ) -> None:
        """The same for a video, with its progress."""
        limits.check_portrait(request.video, self._config, "video")

        async def tell(progress: types.PrepareProgress) -> None:
            await context.write(pb.RegisterVideoResponse(progress=progress))

        registered = await self._register(request.video, request.pack, tell)
        await context.write(pb.RegisterVideoResponse(registered=registered))

    async def _register(
        self, portrait: bytes, asked_pack: str, on_progress: OnProgress | None = None
    ) -> pb.RegisterAvatarResponse:
        pack = known_pack(asked_pack, self._config.pack, self._frame_rates())
        prepared = await self._desk.prepare(portrait, pack, on_progress)
        caller, pack_hash = current_caller(), self._desk.pack_hash(pack)
        owned = (caller.tenant, portrait, pack, pack_hash, prepared.known, caller.limits.avatars)
        avatar = await asyncio.to_thread(self._store.put, *owned)
        return pb.RegisterAvatarResponse(avatar=_avatar(avatar), prepare_ms=prepared.prepare_ms)

    async def GetAvatar(  # noqa: N802
        self, request: pb.GetAvatarRequest, context: Any
    ) -> pb.GetAvatarResponse:
        """What is known of a registered avatar."""
        avatar = await asyncio.to_thread(self._store.get, current_tenant(), request.avatar_id)
        return pb.GetAvatarResponse(avatar=_avatar(avatar))

    async def DeleteAvatar(  # noqa: N802
        self, request: pb.DeleteAvatarRequest, context: Any
    ) -> pb.DeleteAvatarResponse:
        """Forget an avatar here, and its features everywhere."""
        tenant, avatar_id = current_tenant(), request.avatar_id
        await self.purger.purge(await asyncio.to_thread(self._store.delete, tenant, avatar_id))
        return pb.DeleteAvatarResponse()

    async def GetServerInfo(  # noqa: N802
        self, request: pb.GetServerInfoRequest, context: Any
    ) -> pb.GetServerInfoResponse:
        """Version, packs and limits."""
        return pb.GetServerInfoResponse(
            version=__version__,
            packs=offered_packs(self._pools, self._config.pack),
            limits=limits.to_proto(self._config, self._config.message_bytes),
        )

    async def _admitted(
        self, first: pb.AnimateConfig, stages: CallStages
    ) -> tuple[pb.AnimateConfig, PreparedAvatar, Resumption | None]:
        """The settings in effect, without the portrait, which would stay in memory twice."""
        going_on = self._resumption(first) if first.HasField("resume") else None
        asked = going_on.config if going_on else self._checked(first)
        avatar = await admit(
            current_call_id(),
            asked,
            self._pools,
            self._desk,
            stages,
            self._config.admission_load,
            going_on,
        )
        told = pb.AnimateConfig()
        asked.ClearField("portrait")
        told.CopyFrom(asked)
        return told, avatar, going_on

    def _checked(self, config: pb.AnimateConfig) -> pb.AnimateConfig:
        return effective_config(config, self._config, self._config.pack, self._frame_rates())

    def _resumption(self, config: pb.AnimateConfig) -> Resumption:
        going_on = resumption(config, self._seal, current_tenant(), self._config)
        set_call_id(going_on.state.call_id)
        metrics.RESUMED.inc()
        return going_on

    def _frame_rates(self) -> dict[str, int]:
        return frame_rates(self._pools, self._config.pack)

    def _session(
        self,
        asked: pb.AnimateConfig,
        avatar: PreparedAvatar,
        stages: CallStages,
        outbox: Outbox,
        measure: CallMeasure,
        going_on: Resumption | None,
    ) -> Session:
        measure.frame_rate = asked.frame_rate
        measure.avatar_source = avatar.source or stages.rendering.source
        for stream in stages.sessions:
            measure.serves(stream.module, stream.stream.session.replica)
        call_id = current_call_id()
        pack_hash = stages.motion.stream.session.pack_hash
        if going_on:
            going_on.check_pack(pack_hash)

        async def open_again(changes: GenerateConfig) -> None:
            configs = stage_configs(call_id, asked, avatar)
            configs.motion.MergeFrom(changes)
            at = changes.first_frame
            first = FirstFrames(at, at, at, at)
            await stages.reopen(self._pools, replace(configs, first=first))

        content_key = avatar.known.content_key
        facts = facts_of(call_id, current_tenant(), asked, content_key, pack_hash)
        return Session(
            OpenCall(
                asked,
                stages,
                self._config,
                outbox,
                measure,
                self._clock,
                open_again,
                facts,
                self._seal,
                going_on,
            )
        )

    def _started(
        self,
        asked: pb.AnimateConfig,
        avatar: PreparedAvatar,
        session: Session,
        stages: CallStages,
    ) -> pb.AnimateResponse:
        status = stages.render.replica.status
        return pb.AnimateResponse(
            started=pb.Started(
                call_id=current_call_id(),
                config=asked,
                width=stages.rendering.width,
                height=stages.rendering.height,
                warnings=avatar.known.warnings,
                mime_type=session.mime_type,
                resume_token=session.first_token,
                pack_version=f"{status.pack} {status.pack_version}",
            )
        )


def _avatar(avatar: StoredAvatar) -> pb.Avatar:
    known = next(iter(avatar.preparations.values()))
    return pb.Avatar(
        avatar_id=avatar.avatar_id,
        pack=avatar.pack,
        width=known.width,
        height=known.height,
        warnings=known.warnings,
        source_frames=known.source_frames,
    )
