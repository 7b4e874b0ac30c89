"""Waiting for what another process or thread does after its answer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], bool | Awaitable[bool]], timeout_s: float = 20) -> None:
    """Return when the condition holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while True:
            answer = holds()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.01)
