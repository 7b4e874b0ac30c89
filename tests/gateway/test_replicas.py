"""Replicas come, go, die and come back; health follows."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import grpc
import pytest

from ditto.errors import AtCapacityError, StageUnavailableError
from gateway.stages.addresses import resolve_all
from gateway.stages.replicas import Replica, ReplicaPool
from tests.gateway.cluster import MODULES, animate, config, running_cluster, speech, tone
from tests.gateway.fake_stages import start_stage


async def test_a_name_stands_for_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lookup(host: str, port: str, **_: object) -> list[tuple[object, ...]]:
        assert host == "renderers"
        return [(0, 0, 0, "", (ip, int(port))) for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    assert await resolve_all(["renderers:7", "127.0.0.1:8", "[::1]:9"]) == {
        "10.0.0.1:7",
        "10.0.0.2:7",
        "127.0.0.1:8",
        "[::1]:9",
    }


async def test_a_name_without_an_answer_keeps_what_was_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await start_stage("renderer")
    port = int(stage.address.rpartition(":")[2])
    answers: list[object] = [[(0, 0, 0, "", ("127.0.0.1", port))], socket.gaierror("no answer"), []]

    async def lookup(*_: object, **__: object) -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    pool = ReplicaPool("renderer", [f"renderers:{port}"], 1.0)
    for known in (1, 1, 0):
        await pool.poll()
        assert len(pool.healthy()) == known
    await pool.close()
    await stage.server.stop(None)


async def test_a_draining_replica_gets_no_new_calls() -> None:
    stage = await start_stage("renderer")
    pool = ReplicaPool("renderer", [stage.address], 1.0)
    await pool.poll()
    assert [replica.free_slots for replica in pool.healthy("starter")] == [4]
    assert not pool.healthy("another")
    stage.slots.draining = True
    await pool.poll()
    assert not pool.healthy()
    await pool.close()
    await stage.server.stop(None)


async def test_the_first_that_is_neither_gone_nor_full_is_used() -> None:
    stages = [await start_stage("renderer", i, slots=9 - i) for i in range(3)]
    pool = ReplicaPool("renderer", [stage.address for stage in stages], 1.0)
    await pool.poll()
    errors: dict[str, Exception] = {
        stages[0].address: StageUnavailableError("gone"),
        stages[1].address: AtCapacityError("full", 77),
    }

    async def use(replica: Replica) -> str:
        if replica.address in errors:
            raise errors[replica.address]
        return replica.address

    assert await pool.first_that("starter", use) == stages[2].address
    errors[stages[2].address] = StageUnavailableError("gone")
    with pytest.raises(AtCapacityError) as refusal:
        await pool.first_that("starter", use)
    assert refusal.value.retry_after_ms == 77
    with pytest.raises(StageUnavailableError, match="no replica with pack other"):
        await pool.first_that("other", use)
    await pool.close()
    for stage in stages:
        await stage.server.stop(None)


async def test_a_replica_that_comes_back_is_used_again(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, poll_seconds=0.1, poll_timeout_seconds=0.5) as cluster:
        (renderer,) = cluster.stages["renderer"]
        await renderer.server.stop(None)
        await cluster.poll()
        answer = await animate(cluster, [config(), *speech(tone(0.1))])
        assert answer.error is not None
        port = int(renderer.address.rpartition(":")[2])
        cluster.stages["renderer"] = [await start_stage("renderer", 1, port=port)]
        for _ in range(40):
            await asyncio.sleep(0.1)
            answer = await animate(cluster, [config(), *speech(tone(0.1))])
            if answer.error is None:
                break
        assert answer.error is None


@pytest.mark.parametrize("module", MODULES)
async def test_the_gateway_is_healthy_while_every_stage_is(tmp_path: Path, module: str) -> None:
    async with running_cluster(tmp_path, poll_seconds=0.1) as cluster:
        reports: list[bool] = []

        async def report(is_serving: bool) -> None:
            reports.append(is_serving)

        following = asyncio.create_task(cluster.gateway.follow_health(report))
        await asyncio.sleep(0.1)
        await cluster.stages[module][0].server.stop(None)
        for _ in range(40):
            await asyncio.sleep(0.05)
            if len(reports) > 1:
                break
        following.cancel()
        assert reports == [True, False]


async def test_a_replica_that_leaves_the_addresses_keeps_its_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await start_stage("renderer")
    port = int(stage.address.rpartition(":")[2])
    listed = [(0, 0, 0, "", ("127.0.0.1", port))]

    async def lookup(*_: object, **__: object) -> object:
        return listed

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup)
    pool = ReplicaPool("renderer", [f"renderers:{port}"], 1.0)
    await pool.poll()
    (replica,) = pool.healthy()
    replica.opened()
    listed.clear()
    for draining in (False, True):
        stage.slots.draining = draining
        await pool.poll()
        assert not pool.healthy()  # nothing new starts there
        assert replica.leaving == ("drain" if draining else "")
        assert replica.channel.get_state() is grpc.ChannelConnectivity.READY
    replica.closed()
    await pool.poll()
    assert replica.channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
    await pool.close()
    await stage.server.stop(None)
