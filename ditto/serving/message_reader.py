"""Requests from their bytes, with a bound on what decoding them may cost.

A message of 32 MiB whose every second byte begins another message in it would take seconds and a
gigabyte to decode. Large messages are therefore first looked through for the number of their parts;
honest ones consist of a few, some of which hold many bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from ditto.errors import InvalidInputError

MAX_PARTS = 20_000
"""Most fields in a message and the messages within."""
_HARMLESS_BYTES = 64 * 1024
"""So small a message cannot cost much."""
_VARINT, _FIXED64, _SIZED, _GROUP_START, _GROUP_END, _FIXED32 = range(6)
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4, _GROUP_START: 0, _GROUP_END: 0}


def reader_of(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A deserializer that gives an `InvalidInputError` for bytes that it cannot or will not read.

    ``deserialize`` is the ``FromString`` of a message class; the parts of others are not counted.
    """
    descriptor = getattr(getattr(deserialize, "__self__", None), "DESCRIPTOR", None)

    def read(data: bytes) -> Any:
        if len(data) > _HARMLESS_BYTES and descriptor and has_too_many_parts(data, descriptor):
            return InvalidInputError("request", f"has more than {MAX_PARTS} parts")
        try:
            return deserialize(data)
        except DecodeError:
            return InvalidInputError("request", "is not a message of this method")

    return read


def has_too_many_parts(data: bytes, descriptor: Descriptor, most: int = MAX_PARTS) -> bool:
    """Whether a message has more fields than that, those of the messages in it included.

    Bytes that are no message are looked at up to where that shows.
    """
    waiting: list[tuple[int, int, Descriptor | None]] = [(0, len(data), descriptor)]
    parts = 0
    try:
        while waiting:
            at, end, kind = waiting.pop()
            while at < end:
                if (parts := parts + 1) > most:
                    return True
                tag, at = _varint(data, at)
                if tag & 7 == _SIZED:
                    size, at = _varint(data, at)
                    field = kind.fields_by_number.get(tag >> 3) if kind else None
                    if field is not None and field.type == FieldDescriptor.TYPE_MESSAGE:
                        waiting.append((at, min(at + size, end), field.message_type))
                    at += size
                elif tag & 7 == _VARINT:
                    _, at = _varint(data, at)
                else:
                    at += _FIXED_BYTES[tag & 7]
    except (IndexError, KeyError):
        return False  # the decoder finds the same place and refuses it
    return False


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where the next one begins."""
    byte = data[at]
    at += 1
    if byte < 0x80:
        return byte, at
    number, shift = byte & 0x7F, 7
    while byte >= 0x80 and shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
    return number, at
