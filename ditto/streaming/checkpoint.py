"""Stage states to opaque bytes and back, so that a call can move to another replica.

A state is a frozen dataclass of arrays, numbers, strings, None, tuples and further dataclasses. The
bytes are a JSON tree and the arrays' raw values behind it; reading them can execute nothing. They
are bound to the pack's hash, to the state's class and to this format's version: a checkpoint of
anything else is refused, and the caller replays more instead.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ditto.errors import CorruptDataError

State = TypeVar("State")

SCHEMA_VERSION = 1
MAX_BYTES = 4 * 1024 * 1024

_MAGIC = b"DTCK"
_DIGEST_BYTES = 16
_HEADER = struct.Struct("<4sHI")
_ARRAY_TYPES = frozenset(np.dtype(code).str for code in "?bBhHiIlLqQefd")
"""What arrays may hold. Numpy is asked for no other name: it evaluates what looks like several."""


def dump_state(state: Any, pack_hash: str) -> bytes:
    """The bytes of a dataclass `state` of the pack with this hash.

    Raises `ValueError` for a state over 4 MiB and `TypeError` for a value of another kind: both are
    mistakes of the stage, not of its input.
    """
    arrays: list[bytes] = []
    tag = [pack_hash, type(state).__qualname__]
    tree = json.dumps([tag, _to_tree(state, arrays)], separators=(",", ":")).encode()
    body = _HEADER.pack(_MAGIC, SCHEMA_VERSION, len(tree)) + tree + b"".join(arrays)
    if len(body) + _DIGEST_BYTES > MAX_BYTES:
        raise ValueError(f"a state of {len(body)} bytes; allowed: up to {MAX_BYTES}")
    return body + _digest(body)


def load_state(data: bytes, state_type: type[State], pack_hash: str) -> State:
    """Inverse of `dump_state`.

    Raises `CorruptDataError` for damaged bytes and for those of another pack, class or version.
    """
    body, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if not _HEADER.size <= len(body) <= MAX_BYTES or _digest(body) != digest:
        raise CorruptDataError("checkpoint: damaged, or no checkpoint at all")
    magic, version, tree_bytes = _HEADER.unpack_from(body)
    if (magic, version) != (_MAGIC, SCHEMA_VERSION):
        raise CorruptDataError(f"checkpoint: format {version}, this is {SCHEMA_VERSION}")
    values_at = _HEADER.size + tree_bytes
    try:
        tag, tree = json.loads(body[_HEADER.size : values_at])
        if tag != [pack_hash, state_type.__qualname__]:
            raise CorruptDataError(f"checkpoint: of {tag}, not of {pack_hash}")
        state: State = _Decoder(memoryview(body)[values_at:]).value(tree, state_type)
        return state
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptDataError(f"checkpoint: does not fit {state_type.__name__}") from error


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _to_tree(value: Any, arrays: list[bytes]) -> Any:
    """`value` as JSON; arrays leave their type and shape here and their bytes in `arrays`."""
    if isinstance(value, np.ndarray) and value.dtype.str in _ARRAY_TYPES:
        arrays.append(value.tobytes())
        return {"type": value.dtype.str, "shape": list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _to_tree(getattr(value, f.name), arrays) for f in fields(value)}
    if isinstance(value, tuple):
        return [_to_tree(item, arrays) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a state cannot hold {type(value).__name__}")


class _Decoder:
    """Builds values from the tree; every value must fit the type that the state declares for it."""

    def __init__(self, values: memoryview) -> None:
        self._values = values
        self._at = 0

    def value(self, node: Any, hint: Any) -> Any:
        origin = get_origin(hint) or hint
        if origin in (Union, types.UnionType):
            (only,) = [choice for choice in get_args(hint) if choice is not types.NoneType]
            return None if node is None else self.value(node, only)
        if origin is np.ndarray:
            return self._array(node)
        if is_dataclass(origin):
            return self._dataclass(node, origin)
        if origin is tuple:
            return self._tuple(node, get_args(hint))
        accepted = (int, float) if hint is float else (hint,)
        if type(node) not in accepted:
            raise TypeError(f"{type(node).__name__} where {hint} is declared")
        return node

    def _dataclass(self, node: dict[str, Any], cls: Any) -> Any:
        hints = get_type_hints(cls)
        if list(node) != [f.name for f in fields(cls)]:
            raise KeyError("the fields have changed")
        return cls(**{name: self.value(item, hints[name]) for name, item in node.items()})

    def _tuple(self, node: list[Any], hints: tuple[Any, ...]) -> tuple[Any, ...]:
        if hints[-1] is Ellipsis:
            hints = (hints[0],) * len(node)
        return tuple(self.value(item, hint) for item, hint in zip(node, hints, strict=True))

    def _array(self, node: dict[str, Any]) -> Any:
        if node["type"] not in _ARRAY_TYPES:
            raise TypeError("an array of another type")
        dtype = np.dtype(node["type"])
        count = math.prod(node["shape"])
        end = self._at + count * dtype.itemsize
        if count < 0 or end > len(self._values):
            raise ValueError("an array that is not there")
        array = np.frombuffer(self._values[self._at : end], dtype).reshape(node["shape"])
        self._at = end
        return array.copy()
