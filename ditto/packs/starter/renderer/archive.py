"""Named arrays as one block of bytes: a JSON table of contents, then the raw numbers."""

from __future__ import annotations

import json
import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from ditto.errors import CorruptDataError

Arrays = dict[str, NDArray[np.generic]]

_MAGIC = b"DSRA"
_PREFIX = struct.Struct("<4sII")
"""Magic, checksum of all that follows, length of the table of contents."""
_TYPES = frozenset({"uint8", "int32", "float16", "float32"})
_MAX_BYTES = 64 << 20


def dump_arrays(arrays: Arrays) -> bytes:
    """The arrays, in order."""
    contents, blocks = [], []
    for name, array in arrays.items():
        if array.dtype.name not in _TYPES:
            raise ValueError(f"{name}: {array.dtype} is not stored")
        contents.append([name, array.dtype.name, list(array.shape)])
        blocks.append(np.ascontiguousarray(array).tobytes())
    table = json.dumps(contents).encode()
    body = b"".join([table, *blocks])
    return _PREFIX.pack(_MAGIC, zlib.crc32(body), len(table)) + body


def load_arrays(data: bytes) -> Arrays:
    """Read-only views on ``data``. Raises `CorruptDataError` unless every byte is as written."""
    if len(data) < _PREFIX.size or len(data) > _MAX_BYTES:
        raise CorruptDataError(f"no appearance: {len(data)} bytes")
    magic, checksum, table_length = _PREFIX.unpack_from(data)
    body = memoryview(data)[_PREFIX.size :]
    if magic != _MAGIC or zlib.crc32(body) != checksum:
        raise CorruptDataError("no appearance of this renderer, or damaged: its checksum differs")
    try:
        return _read_blocks(body, json.loads(bytes(body[:table_length])), table_length)
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptDataError(f"appearance with a broken table of contents: {error}") from error


def _read_blocks(body: memoryview, contents: list[list[object]], offset: int) -> Arrays:
    arrays: Arrays = {}
    for name, dtype, shape in contents:
        if dtype not in _TYPES:
            raise ValueError(f"type {dtype}")
        sides = [int(side) for side in shape]  # type: ignore[attr-defined]
        block = np.frombuffer(body, np.dtype(str(dtype)), math.prod(sides), offset)
        arrays[str(name)] = block.reshape(sides)
        offset += block.nbytes
    if offset != len(body):
        raise ValueError(f"{len(body) - offset} bytes too many")
    return arrays
