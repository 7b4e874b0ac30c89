"""Bytes that were good, changed in the ways that find mistakes in readers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


def cases(good: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many changed files, always the same ones."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(good))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            chance.choice(_CHANGES)(data, chance)
        yield bytes(data)


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_early(data: bytearray, chance: random.Random) -> None:
    """Headers are where the decisions are."""
    if data:
        data[chance.randrange(min(len(data), 64))] = chance.randrange(256)


def _number(data: bytearray, chance: random.Random) -> None:
    width, order = chance.choice((1, 2, 4)), chance.choice(("little", "big"))
    number = chance.choice(_NUMBERS) & (1 << 8 * width) - 1
    at = chance.randrange(len(data) + 1)
    if chance.random() < 0.5:
        at = min(at, chance.randrange(64))
    data[at : at + width] = number.to_bytes(width, order)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _leave_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.choice((1, 2, 4, 8, 64, 1024))]


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.choice((1, 2, 4, 64)))


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    part = data[at : at + chance.choice((4, 16, 256))]
    data[at:at] = part * chance.choice((1, 8, 64))


_CHANGES = (_flip, _flip, _flip_early, _flip_early, _number, _number, _cut, _leave_out, _insert)
_CHANGES = (*_CHANGES, _repeat)
