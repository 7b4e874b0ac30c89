"""Checkpoints: every kind of value comes back equal; anything but the very same is refused."""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ditto.errors import CorruptDataError
from ditto.streaming import checkpoint
from ditto.streaming.checkpoint import dump_state, load_state

PACK = "9e506a004742039d"


@dataclass(frozen=True)
class Inner:
    gain: float
    name: str | None


@dataclass(frozen=True)
class Outer:
    samples: NDArray[np.float32]
    table: NDArray[np.int64] | None
    frame: int
    live: bool
    inner: Inner
    pairs: tuple[tuple[int, Inner], ...]
    bounds: tuple[float, float]


STATE = Outer(
    samples=np.linspace(-1, 1, 17, dtype=np.float32),
    table=np.arange(24).reshape(2, 3, 4),
    frame=2**40,
    live=True,
    inner=Inner(0.1, None),
    pairs=((1, Inner(1e-300, "ä")), (2, Inner(float("inf"), ""))),
    bounds=(0.0, 1 / 3),
)


def assert_equal(a: object, b: object) -> None:
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, strict=True)
    elif dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            assert_equal(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_equal(x, y)
    else:
        assert a == b


def test_every_kind_of_value_comes_back_equal() -> None:
    assert_equal(load_state(dump_state(STATE, PACK), Outer, PACK), STATE)


def test_nothing_and_empty_come_back() -> None:
    state = replace(STATE, table=None, samples=np.zeros((0, 5), np.float32), pairs=())
    assert_equal(load_state(dump_state(state, PACK), Outer, PACK), state)


def test_equal_states_give_equal_bytes() -> None:
    assert dump_state(STATE, PACK) == dump_state(replace(STATE), PACK)


def test_loaded_arrays_can_be_written_to() -> None:
    loaded = load_state(dump_state(STATE, PACK), Outer, PACK)
    loaded.samples[0] = 5
    assert STATE.samples[0] == -1


@given(st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptDataError):
        load_state(data, Outer, PACK)


@given(st.integers(0, len(dump_state(STATE, PACK)) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, change: int) -> None:
    data = bytearray(dump_state(STATE, PACK))
    data[at] ^= change
    with pytest.raises(CorruptDataError):
        load_state(bytes(data), Outer, PACK)


@given(st.integers(0, len(dump_state(STATE, PACK)) - 1))
def test_cut_bytes_are_refused(size: int) -> None:
    with pytest.raises(CorruptDataError):
        load_state(dump_state(STATE, PACK)[:size], Outer, PACK)


def test_another_pack_or_class_or_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dump_state(STATE, PACK)
    with pytest.raises(CorruptDataError, match="not of 0000"):
        load_state(data, Outer, "0000")
    with pytest.raises(CorruptDataError):
        load_state(data, Inner, PACK)
    monkeypatch.setattr(checkpoint, "SCHEMA_VERSION", 2)
    with pytest.raises(CorruptDataError, match="format 1, this is 2"):
        load_state(data, Outer, PACK)


def test_a_class_whose_fields_changed_is_refused() -> None:
    @dataclass(frozen=True)
    class Changed:
        gain: float
        title: str | None

    Changed.__qualname__ = Inner.__qualname__
    with pytest.raises(CorruptDataError, match="does not fit"):
        load_state(dump_state(STATE.inner, PACK), Changed, PACK)


def sealed(tree: object, values: bytes = b"") -> bytes:
    """A checkpoint with a right digest and whatever content."""
    text = json.dumps([[PACK, "Outer"], tree]).encode()
    body = struct.pack("<4sHI", b"DTCK", 1, len(text)) + text + values
    return body + checkpoint._digest(body)


@pytest.mark.parametrize(
    "samples",
    [
        {"type": "<f4", "shape": [1 << 40]},
        {"type": "<f4", "shape": [-1]},
        {"type": "<f4", "shape": [-2, -2]},
        {"type": "|O", "shape": [1]},
        {"type": "nonsense", "shape": [1]},
        {"type": "<,f4", "shape": [1]},
        {"type": ["<f4"], "shape": [1]},
        {"shape": [1]},
        [1, 2],
        None,
    ],
)
def test_sealed_nonsense_is_refused(samples: object) -> None:
    tree = {
        "samples": samples,
        "table": None,
        "frame": 1,
        "live": True,
        "inner": {"gain": 0.0, "name": None},
        "pairs": [],
        "bounds": [0.0, 0.0],
    }
    with pytest.raises(CorruptDataError):
        load_state(sealed(tree, bytes(16)), Outer, PACK)
    with pytest.raises(CorruptDataError):
        load_state(sealed({**tree, "frame": "1"}, bytes(16)), Outer, PACK)


def test_size_is_bounded() -> None:
    large = replace(STATE, samples=np.zeros(checkpoint.MAX_BYTES // 4, np.float32))
    with pytest.raises(ValueError, match="allowed: up to"):
        dump_state(large, PACK)


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1], np.array([None]), b"bytes"])
def test_other_kinds_of_values_are_a_mistake(value: object) -> None:
    with pytest.raises(TypeError, match="a state cannot hold"):
        dump_state(Inner(0.0, value), PACK)
