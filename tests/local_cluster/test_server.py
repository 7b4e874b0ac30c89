"""Starting one real gRPC process of a cluster."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ditto.errors import SetupError
from ditto.local_cluster import ClusterPlan, LocalCluster, server
from ditto.local_cluster.health import is_serving
from ditto.local_cluster.server import (
    Server,
    ServerPlan,
    child_environment,
    ignored_variables,
    start,
    wait_until_serving,
)

ENCODER = ServerPlan("audio_encoder-0", "services.audio_encoder", ["drain_seconds=0"])


def ignore(*_: str) -> None:
    pass


@pytest.fixture
def started() -> Iterator[list[Server]]:
    servers: list[Server] = []
    yield servers
    for each in servers:
        each.child.terminate()
    for each in servers:
        each.child.wait(5)


def test_a_port_lost_to_somebody_else_is_replaced(
    monkeypatch: pytest.MonkeyPatch, started: list[Server]
) -> None:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        lost = [each.getsockname()[1] for each in taken]
        real = server.free_port
        monkeypatch.setattr(server, "free_port", lambda: lost.pop() if lost else real())
        first = start(ENCODER, ignore)
        started.append(first)
        ready = wait_until_serving(first, time.monotonic() + 60, ignore)
        started.append(ready)
    assert first.child.exit_code == 1
    assert ready.address != first.address
    assert is_serving(ready.address, "ditto.v1.AudioEncoderService")


def test_a_process_that_fails_shows_its_last_lines(started: list[Server]) -> None:
    plan = ServerPlan("audio_encoder-0", "services.audio_encoder", ["slots=none at all"])
    started.append(start(plan, ignore))
    with pytest.raises(SetupError, match=r"ended with exit code 1; its last lines:\n.*slots"):
        wait_until_serving(started[0], time.monotonic() + 60, ignore)


def test_a_process_that_is_too_slow_is_killed(started: list[Server]) -> None:
    started.append(start(ENCODER, ignore))
    with pytest.raises(SetupError, match="did not get ready in time"):
        wait_until_serving(started[0], time.monotonic(), ignore)
    started[0].child.wait(5)
    assert started[0].child.exit_code == -9


def test_a_cluster_that_cannot_start_leaves_nothing_behind() -> None:
    plan = ClusterPlan(redis="none", settings={"renderer": ["slots=0"]})
    cluster = LocalCluster(plan)
    with pytest.raises(SetupError, match="renderer-0 ended"), cluster:
        pytest.fail("it started")
    children = list(cluster.children())
    assert len(children) == 3
    assert all(child.exit_code is not None for child in children)


def test_configuration_of_single_services_does_not_reach_all() -> None:
    outer = {"DITTO_SLOTS": "9", "DITTO_CACHE_DIR": "/c", "HOME": "/h", "OMP_NUM_THREADS": "8"}
    inner = child_environment(outer)
    assert ignored_variables(outer) == ["DITTO_SLOTS"]
    assert inner["DITTO_CACHE_DIR"] == "/c"
    assert inner["HOME"] == "/h"
    assert inner["OMP_NUM_THREADS"] == inner["OPENBLAS_NUM_THREADS"] == "1"
    assert "DITTO_SLOTS" not in inner
