"""TLS on every hop of a call, on real sockets: client to gateway, gateway to stages, renewal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from ditto.client import Access, AsyncClient, Client
from ditto.errors import DittoError, InvalidInputError, SetupError, StageUnavailableError
from ditto.serving.certificates import CertificateFiles
from ditto.serving.credentials import Credentials, named
from ditto.v1 import stage_status_pb2 as status_pb
from ditto.v1.stage_status_pb2_grpc import StageStatusServiceStub
from gateway.config import GatewayConfig
from gateway.stages.channels import stage_dialer
from tests.certificates import Authority, Pair
from tests.gateway.cluster import Cluster, running_cluster, tone
from tests.gateway.tokens import write_tokens

STAGE = ("ditto-stage",)


def stage_credentials(pair: Pair, authority: Authority) -> Credentials:
    files = CertificateFiles(
        named("tls_certificate", pair.certificate),
        named("tls_key", pair.key),
        named("tls_client_ca", authority.file),
    )
    return Credentials("tls_certificate", files)


@asynccontextmanager
async def secured(folder: Path, **keys: Any) -> AsyncIterator[tuple[Cluster, Authority]]:
    """Every hop encrypted, the stages demanding the gateway's certificate."""
    authority = Authority(folder)
    stages = stage_credentials(authority.issue("stage", STAGE), authority)
    front, inner = authority.issue("front"), authority.issue("gateway")
    keys = {
        "tls_certificate": front.certificate,
        "tls_key": front.key,
        "stage_tls_ca": authority.file,
        "stage_tls_certificate": inner.certificate,
        "stage_tls_key": inner.key,
        **keys,
    }
    async with running_cluster(folder, stage_tls=stages, **keys) as cluster:
        yield cluster, authority


async def frames(client: AsyncClient, seconds: float = 0.4) -> int:
    async with await client.animate(b"face", tone(seconds)) as call:
        return sum([1 async for _ in call])


async def test_a_call_over_tls_with_a_token(tmp_path: Path) -> None:
    tokens = write_tokens(tmp_path / "tokens.yaml", acme={"tokens": ["ditto_x"]})
    async with secured(tmp_path, tokens_file=tokens) as (cluster, authority):
        access = Access(token="ditto_x", tls_ca=authority.file)
        async with AsyncClient(cluster.address, access) as client:
            assert await frames(client) >= 10
        with Client(cluster.address, access) as blocking:
            assert (await asyncio.to_thread(blocking.info)).version


async def test_a_stage_serves_the_gateway_alone(tmp_path: Path) -> None:
    async with secured(tmp_path) as (cluster, authority):
        address = cluster.stages["renderer"][0].address
        trust = grpc.ssl_channel_credentials(authority.file.read_bytes())
        options = (("grpc.ssl_target_name_override", STAGE[0]),)
        for channel in (
            grpc.aio.insecure_channel(address),
            grpc.aio.secure_channel(address, trust, options=options),
        ):
            async with channel:
                with pytest.raises(grpc.aio.AioRpcError) as failure:
                    await StageStatusServiceStub(channel).GetStageStatus(
                        status_pb.GetStageStatusRequest(), timeout=3
                    )
                assert failure.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_stage_of_another_name_or_authority_is_not_used(tmp_path: Path) -> None:
    for keys in (
        {"stage_tls_name": "somebody-else"},
        {"stage_tls_ca": Authority(tmp_path, "other").file},
    ):
        async with secured(tmp_path, **keys) as (cluster, authority):
            client = AsyncClient(cluster.address, Access(tls_ca=authority.file))
            with pytest.raises(StageUnavailableError, match="no replica"):
                await frames(client)
            await client.close()


async def test_all_certificates_are_renewed_during_a_call(tmp_path: Path) -> None:
    """The authority stays in a bundle with its successor meanwhile, as a rotation does it."""
    async with secured(tmp_path) as (cluster, old):
        client = AsyncClient(cluster.address, Access(tls_ca=old.file))
        call = await client.animate(b"face")
        await call.speak(tone(0.4))
        new = Authority(tmp_path, "successor")
        old.file.write_bytes(old.file.read_bytes() + new.file.read_bytes())
        new.issue("stage", STAGE)
        new.issue("gateway")
        new.issue("front")
        before = cluster.gateway._pools.renderer.known()[0].channel
        await cluster.poll()
        assert cluster.gateway._pools.renderer.known()[0].channel is not before
        async with AsyncClient(cluster.address, Access(tls_ca=new.file)) as later:
            assert await frames(later) >= 10, "a call over the new certificates alone"
        await call.speak(tone(0.4))
        await call.end()
        assert sum([1 async for _ in call]) >= 20, "the old call goes on to its end"
        await client.close()


async def test_a_gateway_may_demand_certificates_of_clients(tmp_path: Path) -> None:
    clients = Authority(tmp_path, "clients")
    own = clients.issue("client")
    async with secured(tmp_path, tls_client_ca=clients.file) as (cluster, authority):
        access = Access(tls_ca=authority.file, tls_certificate=own.certificate, tls_key=own.key)
        async with AsyncClient(cluster.address, access) as client:
            assert (await client.info()).version
        async with AsyncClient(cluster.address, Access(tls_ca=authority.file)) as client:
            with pytest.raises(DittoError):
                await client.info()


def test_keys_of_the_stages_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    stages = dict.fromkeys(("audio_encoder", "motion_dit", "renderer"), "127.0.0.1:1")
    config = GatewayConfig(
        listen="127.0.0.1:1",
        metrics_listen="127.0.0.1:1",
        avatar_store=tmp_path,
        stage_tls_key=tmp_path / "key",
        **stages,
    )
    with pytest.raises(SetupError, match="mean nothing without stage_tls_ca"):
        stage_dialer(config)


def test_a_token_never_leaves_this_machine_in_clear_text() -> None:
    with pytest.raises(InvalidInputError, match="clear text; set tls or tls_ca"):
        Client("gateway.example:50051", Access(token="ditto_x")).info()


def test_the_environment_says_what_nobody_else_does(tmp_path: Path) -> None:
    ca = Authority(tmp_path).file
    environment = {"DITTO_CLIENT_TLS_CA": str(ca), "DITTO_CLIENT_TOKEN": "ditto_x", "PATH": "/"}
    access = Access.from_environment(environment)
    assert access == Access(token="ditto_x", tls_ca=str(ca))
    assert access.has_tls
    assert Access.from_environment({"DITTO_CLIENT_TLS": "1"}).has_tls
    for wrong in ({"DITTO_CLIENT_TOKN": "x"}, {"DITTO_CLIENT_TLS": "yes"}):
        with pytest.raises(InvalidInputError, match="allowed"):
            Access.from_environment(wrong)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tls_ca": "absent.pem"}, "tls_ca: .*absent.pem: No such file"),
        ({"token_file": "absent"}, "token_file: .*absent: No such file"),
        ({"token": "two\nlines"}, "token: is no token"),
        ({"token": ""}, "token: is no token"),
    ],
)
def test_access_that_cannot_be_used_is_told(fields: dict[str, str], said: str) -> None:
    with pytest.raises(DittoError, match=said):
        Client("localhost:1", Access(**fields)).info()
