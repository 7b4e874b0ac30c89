"""Streams of messages that were good: fields set to what nobody expects, messages moved about."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz import mutate

Stream = Sequence[Message]

_WHOLE = (0, 1, 2, 99, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 2.5, 1e9, -1e9, 3.4e38, 1e-45, float("inf"), float("nan"))
_TEXTS = ("", "x", "starter", "../..", "a" * 20_000, "\x00\n", "портрет", "%s{0}", "0" * 32)
_NUMBER_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (31, True),
    FieldDescriptor.CPPTYPE_INT64: (63, True),
    FieldDescriptor.CPPTYPE_UINT32: (32, False),
    FieldDescriptor.CPPTYPE_UINT64: (64, False),
    FieldDescriptor.CPPTYPE_ENUM: (31, True),
}


def streams(good: Sequence[Stream], count: int, seed: int) -> Iterator[list[bytes]]:
    """So many changed streams as the bytes of their messages, always the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        stream = [_copy(message) for message in chance.choice(good)]
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            _change_field(chance.choice(stream), chance)
        data = [message.SerializeToString() for message in stream]
        for _ in range(chance.choice((0, 0, 1, 2))):
            _move(data, chance)
        if data and chance.random() < 0.3:
            at = chance.randrange(len(data))
            data[at] = next(mutate.cases([data[at]], 1, chance.randrange(2**32)))
        yield data


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _move(data: list[bytes], chance: random.Random) -> None:
    """One message is lost, said twice, or comes elsewhere."""
    if not data:
        return
    at = chance.randrange(len(data))
    match chance.randrange(4):
        case 0:
            del data[at]
        case 1:
            data.insert(chance.randrange(len(data) + 1), data[at])
        case 2:
            data.insert(chance.randrange(len(data)), data.pop(at))
        case _:
            data.insert(at, b"")


def _change_field(message: Message, chance: random.Random) -> None:
    """Set, clear or fill a field of the message, or of one in it."""
    given = [field for field, _ in message.ListFields()]
    fields = given if given and chance.random() < 0.7 else message.DESCRIPTOR.fields
    if not fields:
        return
    field = chance.choice(fields)
    if chance.random() < 0.1:
        message.ClearField(field.name)
    elif _is_map(field):
        getattr(message, field.name)[chance.choice(_TEXTS)] = chance.choice(_FLOATS)
    elif field.is_repeated:
        _change_list(getattr(message, field.name), field, chance)
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
        _change_field(getattr(message, field.name), chance)
    else:
        setattr(message, field.name, _value(field, getattr(message, field.name), chance))


def _change_list(items: Any, field: FieldDescriptor, chance: random.Random) -> None:
    if field.message_type is not None:
        for _ in range(chance.choice((1, 2, 3000))):
            items.add()
        _change_field(chance.choice(items), chance)
    elif chance.random() < 0.5 and items:
        items[chance.randrange(len(items))] = _value(field, items[0], chance)
    else:
        items.extend([_value(field, None, chance)] * chance.choice((1, 100)))


def _value(field: FieldDescriptor, old: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return next(mutate.cases([old or b"\0" * 64], 1, chance.randrange(2**32)))
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(_TEXTS)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return not old
    if field.cpp_type in _NUMBER_BITS:
        bits, is_signed = _NUMBER_BITS[field.cpp_type]
        number = chance.choice(_WHOLE) & (1 << bits) - 1
        return -number if is_signed and chance.random() < 0.3 else number
    return chance.choice(_FLOATS)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
