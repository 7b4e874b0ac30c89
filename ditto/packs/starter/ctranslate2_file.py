"""Reads the weights out of a CTranslate2 `model.bin`, without CTranslate2.

The layout, little-endian throughout: format version, model name, revision, variable count, then for
each variable its name, rank, shape, type code, byte count and bytes. Strings carry a u16 length and
a closing zero.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError

Variables = dict[str, NDArray[Any]]

_FORMAT_VERSION = 6
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_variables(path: Path, prefix: str) -> Variables:
    """The variables whose name starts with `prefix`, by name, as stored.

    Raises `CorruptDataError` when the file is not of this format or is cut short.
    """
    try:
        return _Reader(path.read_bytes()).variables(prefix)
    except (struct.error, ValueError, KeyError) as error:
        raise CorruptDataError(f"{path}: not a CTranslate2 model file ({error})") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def variables(self, prefix: str) -> Variables:
        version, _name, _revision, count = (
            self._number("I"),
            self._string(),
            self._number("I"),
            self._number("I"),
        )
        if version != _FORMAT_VERSION:
            raise ValueError(f"format version {version}, expected {_FORMAT_VERSION}")
        every = (self._variable() for _ in range(count))
        return {name: array for name, array in every if name.startswith(prefix)}

    def _variable(self) -> tuple[str, NDArray[Any]]:
        name = self._string()
        shape = [self._number("I") for _ in range(self._number("B"))]
        dtype = np.dtype(_DTYPES[self._number("B")])
        payload = self._take(self._number("I"))
        if len(payload) != dtype.itemsize * math.prod(shape):
            raise ValueError(f"{name} has {len(payload)} bytes, which do not fit {shape}")
        return name, np.frombuffer(payload, dtype).reshape(shape)

    def _string(self) -> str:
        return bytes(self._take(self._number("H"))[:-1]).decode()

    def _number(self, code: str) -> int:
        (value,) = struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))
        return int(value)

    def _take(self, size: int) -> memoryview:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise ValueError("the file ends early")
        self._at += size
        return taken
