"""Engines are built once and never loaded where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ditto.errors import SetupError
from ditto.runtime import tensorrt_library
from ditto.runtime.engine_cache import EngineTag, ensure_engine, read_engine

TAG = EngineTag("decoder", "fp16", "NVIDIA H100 80GB HBM3", "11.4.0.106", "0123456789abcdef")
OTHERS = [
    replace(TAG, network="warp_network"),
    replace(TAG, precision="fp32"),
    replace(TAG, gpu="NVIDIA A10"),
    replace(TAG, tensorrt="11.2.1.2"),
    replace(TAG, pack_hash="fedcba9876543210"),
]


def _must_not_build() -> bytes:
    raise AssertionError("built again")


def test_the_name_says_what_it_fits() -> None:
    assert TAG.file_name == (
        "decoder_fp16-nvidia-h100-80gb-hbm3-trt11.4.0.106-0123456789abcdef.engine"
    )
    assert len({tag.file_name for tag in (TAG, *OTHERS)}) == 6


def test_an_engine_is_built_once(tmp_path: Path) -> None:
    assert ensure_engine(tmp_path / "e", TAG, lambda: b"engine\nbytes") == b"engine\nbytes"
    assert ensure_engine(tmp_path / "e", TAG, _must_not_build) == b"engine\nbytes"


@pytest.mark.parametrize("other", OTHERS)
def test_a_renamed_engine_is_not_loaded(tmp_path: Path, other: EngineTag) -> None:
    ensure_engine(tmp_path, TAG, lambda: b"for another")
    (tmp_path / TAG.file_name).rename(tmp_path / other.file_name)
    assert read_engine(tmp_path / other.file_name, other) is None
    assert ensure_engine(tmp_path, other, lambda: b"fits") == b"fits"
    assert read_engine(tmp_path / other.file_name, other) == b"fits"


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"\xff\xfe", b"[1]\nx"])
def test_a_damaged_engine_is_built_again(tmp_path: Path, damage: bytes) -> None:
    ensure_engine(tmp_path, TAG, lambda: b"good")
    (tmp_path / TAG.file_name).write_bytes(damage)
    assert ensure_engine(tmp_path, TAG, lambda: b"new") == b"new"


def test_a_flipped_byte_is_found(tmp_path: Path) -> None:
    ensure_engine(tmp_path, TAG, lambda: b"good")
    path = tmp_path / TAG.file_name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert read_engine(path, TAG) is None


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise SetupError("no")

    with pytest.raises(SetupError):
        ensure_engine(tmp_path, TAG, fail)
    assert not (tmp_path / TAG.file_name).exists()


def test_a_machine_without_tensorrt_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt_library, "NAMES", ("no_such_library",))
    with pytest.raises(SetupError, match=r"pip install 'tensorrt>=11\.2'"):
        tensorrt_library.load_library()


def test_an_old_tensorrt_cannot_sample_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tensorrt.py").write_text("__version__ = '8.6.1.post1'")
    with pytest.raises(SetupError, match=r"8\.6\.1\.post1 has no rank-5 GridSample"):
        tensorrt_library.load_library()
