"""What the tests of the renderer process share: two replicas and their Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redis_process import RedisProcess
from tests.services.processes import ServiceProcess, serving
from tests.services.rendering import SLOTS


@pytest.fixture(scope="package")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """Running, for all that takes no part in its losses."""
    server = RedisProcess(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="package")
def renderer(redis: RedisProcess) -> Iterator[ServiceProcess]:
    """A renderer process with the starter pack."""
    with serving("renderer", f"redis_url={redis.url}", f"slots={SLOTS}") as running:
        yield running


@pytest.fixture(scope="package")
def twin(redis: RedisProcess) -> Iterator[ServiceProcess]:
    """A second replica, with the same Redis and no room of its own."""
    with serving("renderer", f"redis_url={redis.url}", "cache_local_bytes=0") as running:
        yield running
