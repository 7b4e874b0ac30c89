"""What those who attack a cluster have in common."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from ditto.v1 import animation_pb2 as pb

TONE = (b"\x00\x10" * 80 + b"\x00\xf0" * 80) * 100
"""One second of speech."""
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass(frozen=True)
class Target:
    """What is attacked."""

    gateway: str
    stages: dict[str, str]
    """Address of each stage."""
    pages: list[str]
    """Addresses of the metrics pages."""
    portrait: bytes


Attack = Callable[[Target], Awaitable[str]]


@asynccontextmanager
async def open_channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own to a server."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        yield channel


async def then_stay(
    requests: list[pb.AnimateRequest], seconds: float
) -> AsyncIterator[pb.AnimateRequest]:
    """Send requests and keep the call open for so long."""
    for request in requests:
        yield request
    await asyncio.sleep(seconds)


def counted(words: list[str]) -> str:
    """How often each came."""
    return ", ".join(f"{count}x {word}" for word, count in sorted(Counter(words).items()))
