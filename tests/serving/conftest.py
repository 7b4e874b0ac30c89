"""What the serving tests share: a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_process import RedisProcess


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A running, empty Redis."""
    server = RedisProcess(tmp_path)
    server.start()
    yield server
    server.kill()
