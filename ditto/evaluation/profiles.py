"""Offline and online calls, head and full portrait (paper 4.6, Table 6)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ditto.cli.speech_file import Speech
from ditto.client import Client
from ditto.errors import DittoError


@dataclass(frozen=True)
class ProfileRow:
    """One row of the table."""

    pipeline: str
    rtf: float
    """Offline: wall time over the video's; online: the slowest stage's real-time factor."""
    ffd_ms: float | None
    """None offline, where all speech is there from the start."""


def measure(client: Client, portrait: bytes, speech: Speech) -> Iterator[ProfileRow]:
    """Four calls: talking-head and full-body, offline and online."""
    avatar = client.register(portrait)
    try:
        for view, name in (("head", "talking-head"), ("full", "full-body")):
            for pacing in ("fast", "realtime"):
                yield _row(client, avatar, speech, view, pacing, name)
    finally:
        client.delete(avatar)


def _row(
    client: Client, avatar: object, speech: Speech, view: str, pacing: str, name: str
) -> ProfileRow:
    begun = time.monotonic()
    online = pacing == "realtime"
    sent = speech.live() if online else speech.data
    with client.animate(avatar, sent, view=view, pacing=pacing) as call:  # type: ignore[arg-type]
        for _ in call:
            pass
        stats = call.stats
    if stats is None:
        raise DittoError("the server ended the call early, without its closing numbers")
    if online:
        return ProfileRow(f"{name} online", max(m.rtf for m in stats.modules), stats.ffd_ms)
    return ProfileRow(f"{name} offline", (time.monotonic() - begun) / stats.video_seconds, None)
