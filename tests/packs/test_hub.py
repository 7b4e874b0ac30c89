"""Pulling a pack from a model hub: a real server on loopback with the released layout."""

from __future__ import annotations

import errno
import shutil
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ditto.errors import SetupError
from ditto.packs import hub
from ditto.packs.hub_listing import DEFAULT_ENDPOINT, endpoint
from ditto.packs.manifest import HubSource
from tests.packs.hub_server import HubServer

REPOSITORY = "digital-avatar/ditto-talkinghead"
LARGE = "ditto_pytorch/models/decoder.pth"
ENGINE = "ditto_trt_Ampere_Plus/decoder_fp16.engine"
SOURCE = HubSource(repository=REPOSITORY, folders=("ditto_cfg", "ditto_pytorch"), license="x")


def _content(seed: int, size: int) -> bytes:
    return np.random.default_rng(seed).bytes(size)


FILES = {
    "README.md": b"# words",
    "ditto_cfg/v0.4_hubert_cfg_pytorch.pkl": _content(0, 300),
    "ditto_onnx/decoder.onnx": _content(1, 900_000),
    LARGE: _content(2, 1_000_000),
    "ditto_pytorch/aux_models/empty.txt": b"",
    ENGINE: _content(3, 1000),
}
WANTED = [path for path in sorted(FILES) if path.split("/")[0] in SOURCE.folders]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    running = HubServer(REPOSITORY, dict(FILES), large={LARGE, ENGINE, "ditto_onnx/decoder.onnx"})
    monkeypatch.setenv("HF_ENDPOINT", running.url + "/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("DITTO_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    yield running
    running.close()


def files_in(folder: Path) -> list[str]:
    found = (str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if name not in (".lock", hub.LISTING))


def test_the_wanted_folders_come_whole_and_once(server: HubServer, tmp_path: Path) -> None:
    found = hub.pull(SOURCE, tmp_path)
    assert files_in(tmp_path) == WANTED
    assert all((tmp_path / path).read_bytes() == FILES[path] for path in WANTED)
    assert all(file.intact for file in found)
    hub.pull(SOURCE, tmp_path)
    assert [path for path, _ in server.downloads] == WANTED


def test_engines_are_chosen_by_pattern(server: HubServer, tmp_path: Path) -> None:
    hub.pull(hub.selected(SOURCE, ["ditto_trt_*"]), tmp_path)
    assert files_in(tmp_path) == [ENGINE]
    assert hub.selected(SOURCE, []) == SOURCE


def test_a_cut_download_goes_on_where_it_stopped(server: HubServer, tmp_path: Path) -> None:
    server.cut_after_bytes = [10**9, 10**9, 400_000, 300_000]
    hub.pull(SOURCE, tmp_path)
    ranges = [wanted for path, wanted in server.downloads if path == LARGE]
    assert ranges == [None, "bytes=400000-", "bytes=700000-"]
    assert (tmp_path / LARGE).read_bytes() == FILES[LARGE]


def test_a_later_run_goes_on_too(server: HubServer, tmp_path: Path) -> None:
    server.cut_after_bytes = [10**9, 10**9] + [100_000] * 5
    with pytest.raises(SetupError, match=r"cut at 500000 of .*HF_ENDPOINT.*goes on"):
        hub.pull(SOURCE, tmp_path)
    assert not (tmp_path / LARGE).exists()
    hub.pull(SOURCE, tmp_path)
    assert server.downloads[-1] == (LARGE, "bytes=500000-")
    assert (tmp_path / LARGE).read_bytes() == FILES[LARGE]


def test_a_server_without_ranges_starts_anew(server: HubServer, tmp_path: Path) -> None:
    server.honours_ranges = False
    server.cut_after_bytes = [10**9, 10**9, 400_000]
    hub.pull(SOURCE, tmp_path)
    assert (tmp_path / LARGE).read_bytes() == FILES[LARGE]


@pytest.mark.parametrize("path", [LARGE, "ditto_cfg/v0.4_hubert_cfg_pytorch.pkl"])
def test_other_bytes_than_listed_are_refused(server: HubServer, tmp_path: Path, path: str) -> None:
    server.sent[path] = bytes(len(FILES[path]))
    with pytest.raises(SetupError, match=rf"{Path(path).name}.*another checksum"):
        hub.pull(SOURCE, tmp_path)
    assert path not in files_in(tmp_path)
    assert not any(name.endswith(".part") for name in files_in(tmp_path))


def test_rot_is_found_offline_and_mended_online(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.pull(SOURCE, tmp_path)
    tag = hub.content_tag(tmp_path)
    (tmp_path / LARGE).write_bytes(bytes(len(FILES[LARGE])))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    wrong = [file.path for file in hub.status(tmp_path) if not file.intact]
    assert wrong == [tmp_path / LARGE]
    with pytest.raises(SetupError, match=r"lacks decoder\.pth and .*HF_HUB_OFFLINE is set"):
        hub.pull(SOURCE, tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub.pull(SOURCE, tmp_path)
    monkeypatch.setenv("DITTO_OFFLINE", "1")
    server.downloads.clear()
    assert all(file.intact for file in hub.pull(SOURCE, tmp_path))
    assert server.downloads == []
    assert hub.content_tag(tmp_path) == tag


def test_offline_with_nothing_there_says_so(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DITTO_OFFLINE", "1")
    with pytest.raises(SetupError, match="ditto models pull ditto"):
        hub.pull(SOURCE, tmp_path)


def test_a_full_disk_is_told_before_and_during(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
        with pytest.raises(SetupError, match=r"MiB needed.*--dir"):
            hub.pull(SOURCE, tmp_path)
    assert server.downloads == []

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub, "download", full)
    with pytest.raises(SetupError, match=r"disk is full.*--dir"):
        hub.pull(SOURCE, tmp_path)


def test_a_mirror_without_the_repository(server: HubServer, tmp_path: Path) -> None:
    other = SOURCE.model_copy(update={"repository": "somebody/else"})
    with pytest.raises(SetupError, match=r"somebody/else.*404.*HF_ENDPOINT"):
        hub.pull(other, tmp_path)
    with pytest.raises(SetupError, match="has none of"):
        hub.pull(hub.selected(SOURCE, ["ditto_tpu"]), tmp_path)


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "ditto_cfg/../../evil"])
def test_paths_outside_of_the_folder_are_refused(
    server: HubServer, tmp_path: Path, path: str
) -> None:
    server.extra_entries = [{"type": "file", "oid": "0" * 40, "size": 1, "path": path}]
    with pytest.raises(SetupError, match="outside of the repository"):
        hub.pull(SOURCE, tmp_path)


def test_no_hub_at_all(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.close()
    with pytest.raises(SetupError, match=r"cannot fetch .*refused.*HF_ENDPOINT"):
        hub.pull(SOURCE, tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "ftp://x")
    with pytest.raises(SetupError, match="http or https"):
        hub.pull(SOURCE, tmp_path)
    monkeypatch.delenv("HF_ENDPOINT")
    assert endpoint() == DEFAULT_ENDPOINT


def test_another_folder_of_weights_is_another_tag(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"12")
    first = hub.content_tag(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"12")
    assert hub.content_tag(tmp_path) == first
    (tmp_path / "a.pth").write_bytes(b"123")
    assert hub.content_tag(tmp_path) != first
