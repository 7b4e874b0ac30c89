"""A made-up asset, the wheel that carries it, an index that serves it and an empty cache."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ditto.packs.manifest import Asset, Conversion, WheelSource
from tests.packs.index_server import IndexServer

WHEEL = "tiny_model-1.0-py3-none-any.whl"
MEMBER = "tiny_model/data/weights.bin"
WEIGHTS = np.random.default_rng(2).bytes(700_000)


def wheel_bytes() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('this must never run')")
        archive.writestr(MEMBER, WEIGHTS)
    return file.getvalue()


@pytest.fixture(scope="session")
def wheel() -> bytes:
    return wheel_bytes()


@pytest.fixture
def asset(wheel: bytes) -> Asset:
    return Asset(
        file="weights.bin",
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        size=len(WEIGHTS),
        license="MIT",
        about="random bytes",
        source=WheelSource(
            kind="wheel",
            package="tiny-model",
            file=WHEEL,
            sha256=hashlib.sha256(wheel).hexdigest(),
            size=len(wheel),
            member=MEMBER,
        ),
    )


@pytest.fixture
def converted(asset: Asset) -> Asset:
    conversion = Conversion(function="tests.packs.conversion:reverse", version=1)
    return asset.model_copy(update={"convert": conversion, "file": "reversed.bin"})


@pytest.fixture
def index(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    server = IndexServer(WHEEL, wheel)
    monkeypatch.setenv("PIP_INDEX_URL", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DITTO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("DITTO_OFFLINE", raising=False)
    return tmp_path / "cache"
