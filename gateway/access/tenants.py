"""The tenant of the call that the present task works for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from ditto.v1 import animation_pb2 as pb
from gateway.access.usage import TenantLimits, Usage

DEFAULT_NAME = "default"
"""Whoever calls a gateway without tokens."""


@dataclass(frozen=True)
class Caller:
    """Whose call it is, and what it counts against."""

    tenant: str = DEFAULT_NAME
    limits: TenantLimits = field(default_factory=TenantLimits)
    usage: Usage = field(default_factory=Usage)

    def check(self) -> None:
        """Raise `QuotaError` when an hour's or a day's share is used up."""
        self.usage.check(self.limits)


_ANYBODY = Caller()
_caller: ContextVar[Caller] = ContextVar("caller", default=_ANYBODY)


def set_caller(caller: Caller) -> None:
    """Say for whom the present task works, from here on."""
    _caller.set(caller)


def current_caller() -> Caller:
    """For whom the present task works."""
    return _caller.get()


def current_tenant() -> str:
    """Name of the tenant for whom the present task works."""
    return current_caller().tenant


Write = Callable[[pb.AnimateResponse], Awaitable[None]]


def counting_video(write: Write) -> Write:
    """A `write` that counts the video that passes, and ends a call whose tenant has had enough."""
    caller = current_caller()
    frame_s = 0.0

    async def counted(response: pb.AnimateResponse) -> None:
        nonlocal frame_s
        if response.HasField("started"):
            frame_s = 1 / (response.started.config.frame_rate or 25)
        frames = 1 if response.HasField("frame") else response.chunk.frame_count
        if frames:
            caller.check()
            caller.usage.add_video(frames * frame_s)
        await write(response)

    return counted
