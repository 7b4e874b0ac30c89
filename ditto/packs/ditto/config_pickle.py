"""Reads the released configuration pickles without executing anything that they ask for.

A pickle names functions to call. Here only the few names that rebuild numpy arrays are known, and
each is answered by a class of this file that keeps the parts; any other name refuses the file.
"""

from __future__ import annotations

import io
import json
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from ditto.errors import CorruptDataError, SetupError

MAX_BYTES = 16 * 2**20
_MAX_DEPTH = 32
_ARRAY_KINDS = "biufSU"


def read_config_pickle(path: Path) -> dict[str, Any]:
    """The configuration as plain values: arrays and tuples as lists.

    Raises `CorruptDataError` for a file that names anything to call, or holds other values.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path}: {error}; run `ditto models pull ditto`") from error
    if len(data) > MAX_BYTES:
        raise CorruptDataError(f"{path}: {len(data)} bytes; a configuration has at most 16 MiB")
    try:
        value = _plain(_Unpickler(io.BytesIO(data)).load())
    except CorruptDataError as error:
        raise CorruptDataError(f"{path}: {error}; nothing in it was executed") from None
    except Exception as error:  # a broken pickle can fail anywhere
        raise CorruptDataError(f"{path} is no configuration pickle: {error!r}") from error
    if not isinstance(value, dict):
        raise CorruptDataError(f"{path} holds a {type(value).__name__}, not a configuration")
    return value


def convert_config_pickle(path: Path) -> Path:
    """Write the configuration as JSON beside the pickle; gives the JSON file."""
    target = path.with_suffix(".json")
    text = json.dumps(read_config_pickle(path), indent=1, sort_keys=True)
    part = target.with_suffix(".part")
    part.write_text(text)
    part.replace(target)
    return target


class _Dtype:
    """Stands for `numpy.dtype`: a type code, and a byte order that may follow."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = str(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.code = f"{state[1]}{self.code}" if state[1] in ("<", ">") else self.code

    def numpy(self) -> np.dtype[Any]:
        dtype = np.dtype(self.code)
        if dtype.kind not in _ARRAY_KINDS:
            raise CorruptDataError(f"an array of {dtype} is no number or text")
        return dtype


class _Array:
    """Stands for `numpy.ndarray`: its shape, type and bytes come as state."""

    values: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        self.values = _values(data, dtype, shape, "F" if is_fortran else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _from_buffer(data: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.values = _values(data, dtype, shape, order)
    return array


def _values(data: object, dtype: object, shape: tuple[int, ...], order: str) -> Any:
    if not isinstance(dtype, _Dtype) or not isinstance(data, (bytes, bytearray)):
        raise CorruptDataError("holds an array of objects")
    flat = np.frombuffer(data, dtype.numpy())
    return flat.reshape(shape, order="F" if order == "F" else "C").tolist()


def _scalar(dtype: _Dtype, data: bytes) -> Any:
    return np.frombuffer(data, dtype.numpy(), count=1)[0].item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How old pickles write bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise CorruptDataError(f"text encoded as {encoding!r}")
    return text.encode("latin-1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    **{
        (f"numpy.{core}.multiarray", name): stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _reconstruct), ("scalar", _scalar))
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    """Knows the names above and no other."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise CorruptDataError(f"asks for {module}.{name}, which is refused") from None


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        raise CorruptDataError("values nested too deeply")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in value]
    raise CorruptDataError(f"holds a {type(value).__name__}")
