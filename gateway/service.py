"""The gateway as a process: its servicer, its view of the stages, its health."""

from __future__ import annotations

import asyncio
from typing import Any

from ditto import __version__
from ditto.audio2face2d.v1.audio2face2d_pb2_grpc import add_Audio2Face2DServiceServicer_to_server
from ditto.errors import SetupError
from ditto.serving import metrics
from ditto.serving.server import Load, Report
from ditto.v1.animation_pb2_grpc import add_AnimationServiceServicer_to_server
from gateway.audio2face2d import SERVICE_NAME, Audio2Face2DServicer
from gateway.avatars import AvatarStore
from gateway.clock import MonotonicClock
from gateway.config import GatewayConfig
from gateway.live_calls import LiveCalls
from gateway.servicer import AnimationServicer
from gateway.stages.call_stages import StagePools
from gateway.stages.channels import stage_dialer
from gateway.stages.moves import REASONS
from gateway.stages.replicas import ReplicaPool


class GatewayService:
    """A loaded gateway as a `ditto.serving.server.Service`."""

    service_names = ("ditto.v1.AnimationService", SERVICE_NAME)

    def __init__(self, config: GatewayConfig, pools: StagePools, store: AvatarStore) -> None:
        self._config = config
        self._pools = pools
        self._store = store
        self._live = LiveCalls()
        self._servicer = AnimationServicer(config, pools, store, self._live, MonotonicClock())
        self._polling = [
            asyncio.create_task(pool.poll_forever(config.poll_seconds)) for pool in pools
        ]
        self._polling.append(asyncio.create_task(self._servicer.purger.retry_forever()))

    def register(self, server: Any) -> None:
        """Add the servicer."""
        metrics.BUILD_INFO.labels(__version__, self._config.pack, "").set(1)
        metrics.AVATARS.set_function(self._store.count)
        for pool in self._pools:
            for reason in REASONS:  # shown as 0: an alert sees only what increases
                metrics.FAILOVERS.labels(pool.module, reason)
            metrics.FAILOVER_GAP.labels(pool.module)
        add_AnimationServiceServicer_to_server(self._servicer, server)  # type: ignore[no-untyped-call]
        foreign = Audio2Face2DServicer(self._servicer)
        add_Audio2Face2DServiceServicer_to_server(foreign, server)  # type: ignore[no-untyped-call]

    async def follow_health(self, report: Report) -> None:
        """Serving means that every stage has a replica that may be called."""
        reported: bool | None = None
        while True:
            is_healthy = all(pool.healthy() for pool in self._pools)
            if is_healthy is not reported:
                await report(reported := is_healthy)
            await asyncio.sleep(self._config.poll_seconds / 4)

    async def drain(self, deadline_s: float) -> None:
        """Tell the callers; return when their calls have ended."""
        await self._live.drain(deadline_s)

    async def close(self) -> None:
        """Stop looking at the stages."""
        for task in self._polling:
            task.cancel()
        await asyncio.gather(*self._polling, return_exceptions=True)
        for pool in self._pools:
            await pool.close()


def make_load(config: GatewayConfig) -> Load:
    """The loader of a process with this configuration."""

    async def load() -> GatewayService:
        pools = make_pools(config)
        await asyncio.gather(*(pool.poll() for pool in pools))
        return GatewayService(config, pools, await asyncio.to_thread(open_store, config))

    return load


def make_pools(config: GatewayConfig) -> StagePools:
    """The pools of the configured addresses."""
    timeout_s, dialer = config.poll_timeout_seconds, stage_dialer(config)
    return StagePools(
        ReplicaPool("audio_encoder", config.audio_encoder, timeout_s, dialer),
        ReplicaPool("motion_dit", config.motion_dit, timeout_s, dialer),
        ReplicaPool("renderer", config.renderer, timeout_s, dialer),
    )


def open_store(config: GatewayConfig) -> AvatarStore:
    """The avatar store. Raises `SetupError` when its folder cannot be used."""
    secret = config.avatar_secret.get_secret_value() if config.avatar_secret else None
    try:
        return AvatarStore(config.avatar_store, secret, config.avatar_count)
    except OSError as error:
        raise SetupError(
            f"avatar_store: cannot use {config.avatar_store} ({error.strerror}); "
            "give a folder that this user may write to"
        ) from None
