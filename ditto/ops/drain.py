"""Emptying one pod: nothing new goes to it, what is live ends or moves, and it is replaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ditto.errors import DittoError

_LOOK_S = 2.0


class Drainable(Protocol):
    """A cluster whose pods can be evicted."""

    def evict(self, pod: str) -> None:
        """Have it drained and replaced."""

    def live_sessions(self, pod: str) -> int | None:
        """Its sessions; None once it has gone."""


class StillThereError(DittoError):
    """A pod that has not gone in time."""


def drain(
    cluster: Drainable,
    pod: str,
    timeout_s: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Evict a pod and wait until it has gone. Raises `StillThereError` after `timeout_s`."""
    live = cluster.live_sessions(pod)
    if live is None:
        raise StillThereError(f"there is no pod {pod}; `ditto ops status --each` names them")
    cluster.evict(pod)
    say(f"{pod} drains; {live} live sessions")
    waited_s = 0.0
    while (now := cluster.live_sessions(pod)) is not None:
        if waited_s >= timeout_s:
            raise StillThereError(
                f"{pod} is still there after {timeout_s:g} s with {now} live sessions; it ends "
                "with its grace period"
            )
        if now != live:
            say(f"{pod}: {now} live sessions")
            live = now
        sleep(_LOOK_S)
        waited_s += _LOOK_S
    say(f"{pod} has gone")
