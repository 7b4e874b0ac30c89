"""The gateway's configuration, its file, and draining."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from ditto.errors import SetupError
from ditto.serving.config import load_config
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from gateway.config import GatewayConfig
from gateway.service import open_store
from tests.gateway.cluster import Cluster, config, speech, tone

FILE = Path(__file__).parents[2] / "gateway" / "config.yaml"


def test_the_file_is_a_whole_configuration() -> None:
    loaded = load_config(GatewayConfig, FILE, {}, ["renderer=[a:1, b:2]", "idle_seconds=7"])
    assert loaded.renderer == ("a:1", "b:2")
    assert loaded.idle_seconds == 7
    assert loaded.pack == "starter"


def test_one_address_need_not_be_a_list() -> None:
    environment = {"DITTO_MOTION_DIT": "motion.example:1234"}
    assert load_config(GatewayConfig, FILE, environment).motion_dit == ("motion.example:1234",)


@pytest.mark.parametrize("value", ["renderer=[]", "renderer=[here]", "audio_message_bytes=9999999"])
def test_values_that_cannot_be_used(value: str) -> None:
    with pytest.raises(SetupError, match=value.partition("=")[0]):
        load_config(GatewayConfig, FILE, {}, [value])


def test_every_key_is_described() -> None:
    missing = [name for name, field in GatewayConfig.model_fields.items() if not field.description]
    assert not missing


def test_a_store_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = [f"avatar_store={tmp_path / 'file' / 'avatars'}"]
    with pytest.raises(SetupError, match="avatar_store"):
        open_store(load_config(GatewayConfig, FILE, {}, settings))


async def test_draining_tells_the_callers_and_waits_for_them(cluster: Cluster) -> None:
    call = cluster.stub.Animate()
    for request in [config(pacing=types.PACING_REALTIME), *speech(tone(0.5))]:
        await call.write(request)
    await call.read()
    draining = asyncio.create_task(cluster.gateway.drain(5.0))
    await asyncio.sleep(0.05)
    assert not draining.done()
    refused = cluster.stub.Animate(iter([config(), *speech(tone(0.1))]))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await refused.read()
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    await call.done_writing()
    kinds = []
    while (response := await call.read()) is not grpc.aio.EOF:
        if response.WhichOneof("response") == "event":
            kinds.append((response.event.kind, response.event.deadline_ms))
    assert (pb.EVENT_KIND_DRAINING, 5000) in kinds
    await asyncio.wait_for(draining, 1.0)


async def test_server_info(cluster: Cluster) -> None:
    info = await cluster.stub.GetServerInfo(pb.GetServerInfoRequest())
    assert info.version
    assert [(pack.name, pack.version, pack.frame_rate) for pack in info.packs] == [
        ("starter", "1.0", 25)
    ]
    assert info.limits.portrait_bytes == cluster.config.portrait_bytes
    assert info.limits.message_bytes == 32 * 2**20
