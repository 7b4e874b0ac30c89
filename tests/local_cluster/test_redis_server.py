"""The cluster's Redis: found, packaged, bounded. A real server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from ditto.errors import SetupError
from ditto.local_cluster import redis_server
from ditto.local_cluster.child import Child
from ditto.local_cluster.redis_server import find_redis, redis_command


@contextmanager
def running(binary: Path, folder: Path) -> Iterator[redis.Redis]:
    socket = folder / "redis.sock"
    child = Child("redis", redis_command(binary, socket), folder, os.environ, lambda *_: None)
    try:
        deadline = time.monotonic() + 10
        while not socket.exists():
            assert time.monotonic() < deadline, child.tail()
            time.sleep(0.02)
        yield redis.Redis(unix_socket_path=str(socket))
    finally:
        child.terminate()
        child.wait(5)


def test_it_is_bounded_and_keeps_nothing_on_disk(tmp_path: Path) -> None:
    with running(find_redis(), tmp_path) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(256 << 20)}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
        client.set("portrait", b"x" * 1000)
        mode = (tmp_path / "redis.sock").stat().st_mode
    assert mode & 0o077 == 0, "the socket is open to other users"
    assert [path.name for path in tmp_path.iterdir() if path.name != "redis.sock"] == []


@pytest.mark.slow
def test_the_packaged_server_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server.shutil, "which", lambda _: None)
    binary = find_redis()
    with running(binary, tmp_path) as client:
        assert client.info("server")["redis_version"].startswith("6.2.")


def test_without_a_binary_for_the_machine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server.shutil, "which", lambda _: None)
    monkeypatch.setattr(redis_server.platform, "machine", lambda: "riscv64")
    with pytest.raises(SetupError, match="--redis none"):
        find_redis()
