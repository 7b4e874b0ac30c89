"""Tokens and tenants before a real gateway: who gets in, how much, and whose avatars they see."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.audio2face2d.v1.audio2face2d_pb2_grpc import Audio2Face2DServiceStub
from ditto.client import Access, AsyncClient
from ditto.errors import (
    AvatarNotFoundError,
    CallLimitError,
    PermissionDeniedError,
    QuotaError,
    SetupError,
    UnauthenticatedError,
)
from ditto.serving.config import ProcessConfig
from ditto.serving.credentials import server_credentials
from ditto.v1 import animation_pb2 as pb
from gateway.access.token_file import read_token_file
from gateway.access.usage import TenantLimits, Usage
from gateway.config import GatewayConfig
from tests.gateway.cluster import Cluster, running_cluster, tone
from tests.gateway.tokens import write_tokens

TOKEN, OTHER = "ditto_one", "ditto_two"


@asynccontextmanager
async def guarded(folder: Path, **tenants: dict[str, Any]) -> AsyncIterator[Cluster]:
    """A gateway that wants tokens."""
    file = write_tokens(folder / "tokens.yaml", **tenants)
    async with running_cluster(folder, tokens_file=file) as cluster:
        yield cluster


def client_of(cluster: Cluster, token: str | None = TOKEN) -> AsyncClient:
    return AsyncClient(cluster.address, Access(token=token))


async def say(client: AsyncClient, seconds: float = 0.4) -> int:
    """Frames of a short call."""
    async with await client.animate(b"face", tone(seconds)) as call:
        return sum([1 async for _ in call])


async def drained(items: AsyncIterator[Any]) -> None:
    seen = 0
    async for _ in items:
        seen += 1
        assert seen <= 5, "what follows a second of frames can be events alone"


async def ended(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


def denied(reason: str) -> float:
    return REGISTRY.get_sample_value("ditto_denied_total", {"reason": reason}) or 0.0


async def test_a_known_token_opens_every_method(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, acme={"tokens": [TOKEN]}) as cluster,
        client_of(cluster) as client,
    ):
        assert await say(client) >= 10
        assert (await client.info()).version
        await client.delete(await client.register(b"face"))


@pytest.mark.parametrize(
    ("token", "error", "reason"),
    [
        (None, UnauthenticatedError, "missing"),
        ("ditto_guess", UnauthenticatedError, "unknown"),
        ("ditto_late", UnauthenticatedError, "expired"),
        ("ditto_broke", PermissionDeniedError, "suspended"),
    ],
)
async def test_whoever_is_not_welcome_is_told_why(
    tmp_path: Path, token: str | None, error: type[Exception], reason: str
) -> None:
    late = {"token": "ditto_late", "expires": "2020-01-01T00:00:00Z"}
    tenants = {
        "acme": {"tokens": [TOKEN, late]},
        "broke": {"tokens": ["ditto_broke"], "suspended": True},
    }
    async with guarded(tmp_path, **tenants) as cluster, client_of(cluster, token) as client:
        before = denied(reason)
        with pytest.raises(error, match="authorization"):
            await client.info()
        with pytest.raises(error, match="authorization"):
            await say(client)
        assert denied(reason) == before + 2


async def test_another_scheme_is_no_token(tmp_path: Path) -> None:
    async with guarded(tmp_path, acme={"tokens": [TOKEN]}) as cluster:
        for value in ("Basic YTpi", TOKEN):
            metadata = (("authorization", value),)
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await cluster.stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=metadata)
            assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_second_front_door_has_the_same_lock(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, acme={"tokens": [TOKEN]}) as cluster,
        grpc.aio.insecure_channel(cluster.address) as channel,
    ):
        stub = Audio2Face2DServiceStub(channel)
        config = a2f.AnimateRequest(config=a2f.AnimateConfig(portrait_image=b"face"))
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.Animate(iter([config])).read()
        assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        call = stub.Animate(iter([config]), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await ended(call)
        assert failure.value.code() is not grpc.StatusCode.UNAUTHENTICATED


async def test_tokens_change_without_a_restart(tmp_path: Path) -> None:
    async with guarded(tmp_path, acme={"tokens": [TOKEN]}) as cluster:
        file = tmp_path / "tokens.yaml"
        async with client_of(cluster) as old, client_of(cluster, OTHER) as new:
            write_tokens(file, acme={"tokens": [TOKEN, OTHER]})
            assert (await old.info()).version
            assert (await new.info()).version
            write_tokens(file, acme={"tokens": [OTHER]})
            with pytest.raises(UnauthenticatedError):
                await old.info()
            file.write_text("tenants: [")
            assert (await new.info()).version, "a file that cannot be used changes nothing"
            with pytest.raises(UnauthenticatedError):
                await old.info()


async def test_calls_at_once_are_limited_by_tenant(tmp_path: Path) -> None:
    limits = {"calls": 1}
    tenants = {"acme": {"tokens": [TOKEN], "limits": limits}, "other": {"tokens": [OTHER]}}
    async with (
        guarded(tmp_path, **tenants) as cluster,
        client_of(cluster) as client,
        client_of(cluster, OTHER) as other,
    ):
        async with await client.animate(b"face"):
            with pytest.raises(QuotaError, match="calls: you may have 1") as refusal:
                await say(client)
            assert refusal.value.retry_after_ms > 0
            assert (await client.info()).version, "short requests are no calls"
            assert await say(other) >= 10
        for _ in range(50):
            try:
                assert await say(client) >= 10
                break
            except QuotaError:
                continue


async def test_video_is_counted_and_ends_when_the_share_does(tmp_path: Path) -> None:
    limits = {"video_seconds_per_hour": 1.0}
    async with (
        guarded(tmp_path, acme={"tokens": [TOKEN], "limits": limits}) as cluster,
        client_of(cluster) as client,
    ):
        call = await client.animate(b"face", tone(3.0))
        items = aiter(call)
        for _ in range(25):
            await anext(items)
        with pytest.raises(QuotaError, match="video_seconds_per_hour") as refusal:
            await drained(items)
        assert 0 < refusal.value.retry_after_ms <= 3_600_000
        with pytest.raises(QuotaError):
            await client.info()


async def test_bytes_are_counted_both_ways(tmp_path: Path) -> None:
    limits = {"bytes_per_day": 40_000}
    async with (
        guarded(tmp_path, acme={"tokens": [TOKEN], "limits": limits}) as cluster,
        client_of(cluster) as client,
    ):
        with pytest.raises(QuotaError, match="bytes_per_day"):
            await say(client, 3.0)


async def test_another_tenants_avatar_does_not_exist(tmp_path: Path) -> None:
    tenants = {"acme": {"tokens": [TOKEN]}, "other": {"tokens": [OTHER]}}
    async with (
        guarded(tmp_path, **tenants) as cluster,
        client_of(cluster) as client,
        client_of(cluster, OTHER) as other,
    ):
        avatar = await client.register(b"face")
        with pytest.raises(AvatarNotFoundError):
            await other.avatar(avatar.avatar_id)
        with pytest.raises(AvatarNotFoundError):
            await other.delete(avatar)
        with pytest.raises(AvatarNotFoundError):
            await other.animate(avatar, tone(0.2))
        own = await other.register(b"face")
        assert own.avatar_id != avatar.avatar_id, "ids are per tenant"
        assert len(cluster.stages["renderer"][0].cached) == 1, "work is shared by content"
        await client.delete(avatar)
        assert cluster.stages["renderer"][0].cached, "the other tenant still refers to it"
        await other.delete(own)
        assert not cluster.stages["renderer"][0].cached, "the last reference is gone"


async def test_avatars_are_limited_by_tenant(tmp_path: Path) -> None:
    tenants = {
        "acme": {"tokens": [TOKEN], "limits": {"avatars": 1}},
        "other": {"tokens": [OTHER]},
    }
    async with (
        guarded(tmp_path, **tenants) as cluster,
        client_of(cluster) as client,
        client_of(cluster, OTHER) as other,
    ):
        await other.register(b"face")
        await client.register(b"face")
        await client.register(b"face")
        with pytest.raises(CallLimitError, match="avatars: you may keep 1"):
            await client.register(b"another face")


async def test_no_token_is_ever_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with guarded(tmp_path, acme={"tokens": [TOKEN]}) as cluster:
        for token in (TOKEN, OTHER):
            async with client_of(cluster, token) as client:
                with suppress(UnauthenticatedError):
                    await say(client)
    assert caplog.records
    for record in caplog.records:
        told = f"{record.getMessage()} {record.__dict__}"
        assert TOKEN not in told
        assert OTHER not in told
    assert TOKEN not in repr(Access(token=TOKEN))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file"),
        ("tenants: [", "no YAML"),
        ("tenants: {acme: {tokens: [{sha256: abc}]}}", r"acme\.tokens\.0\.sha256"),
        ("tenants: {acme: {limit: {calls: 1}}}", r"acme\.limit: Extra"),
        ("tenants: {acme: {limits: {calls: -1}}}", "calls"),
        ("tenants: {'Acme Ltd': {}}", "Acme Ltd"),
        (
            f"tenants: {{a: {{tokens: [{{sha256: '{'a' * 64}'}}]}}, "
            f"b: {{tokens: [{{sha256: '{'a' * 64}'}}]}}}}",
            "stands there twice",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tokens.yaml"
    file.write_text(text)
    with pytest.raises(SetupError, match=rf"tokens_file: .*tokens\.yaml: .*{said}"):
        read_token_file(file)


def test_a_window_ends_with_its_hour() -> None:
    now_s = 7190.0
    usage, limits = Usage(lambda: now_s), TenantLimits(video_seconds_per_hour=5)
    usage.add_video(5)
    with pytest.raises(QuotaError) as refusal:
        usage.check(limits)
    assert refusal.value.retry_after_ms == 10_001
    now_s = 7201.0
    usage.check(limits)


def gateway_config(folder: Path, **keys: Any) -> ProcessConfig:
    stages = dict.fromkeys(("audio_encoder", "motion_dit", "renderer"), "127.0.0.1:1")
    ports = {"listen": "0.0.0.0:50051", "metrics_listen": "127.0.0.1:1"}
    return GatewayConfig(**{**ports, **stages, "avatar_store": folder, **keys})


def test_without_tokens_a_gateway_serves_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"listen: 0\.0\.0\.0:50051 .*set tokens_file"):
        server_credentials(gateway_config(tmp_path, insecure=True))
    assert server_credentials(gateway_config(tmp_path, listen="127.0.0.1:50051")) is None
    named = gateway_config(tmp_path, insecure=True, tokens_file=tmp_path / "tokens.yaml")
    assert server_credentials(named) is None
