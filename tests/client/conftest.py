"""A gateway before fake stages, a client of it, and files for a call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ditto.client import Client
from tests.gateway.cluster import Cluster, tone
from tests.gateway.live_gateway import live_gateway
from tests.wav_file import wav_file


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A gateway with fake stages in a thread."""
    with live_gateway(tmp_path_factory.mktemp("gateway"), idle_seconds=2) as cluster:
        yield cluster


@pytest.fixture
def client(gateway: Cluster) -> Iterator[Client]:
    """A blocking client."""
    with Client(gateway.address) as connected:
        yield connected


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A portrait and one second of speech."""
    portrait, speech = tmp_path / "portrait.jpg", tmp_path / "speech.wav"
    portrait.write_bytes(b"face")
    speech.write_bytes(wav_file(tone(1.0, 4000)))
    return portrait, speech
