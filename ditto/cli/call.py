"""One `Animate` call to an MP4 file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ditto.cli.speech_file import Speech
from ditto.client import AnimateOptions, CallStats, Chunk, Client, Started
from ditto.client.settings import Portrait
from ditto.errors import DittoError


@dataclass(frozen=True)
class CallResult:
    """What the server told of a finished call."""

    started: Started
    stats: CallStats
    wall_seconds: float


def animate_to_file(
    client: Client,
    portrait: Portrait,
    speech: Speech,
    target: Path,
    options: AnimateOptions,
    on_frames: Callable[[int], object],
) -> CallResult:
    """Make the call and write its MP4 to `target`, whole or not at all.

    A call in real time gets its speech as a microphone would give it. Raises the `DittoError` that
    the server raised.
    """
    begun = time.monotonic()
    sent = speech.live() if options.get("pacing") == "realtime" else speech.data
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file, client.animate(portrait, sent, **options) as call:
            for item in call:
                if isinstance(item, Chunk):
                    file.write(item.data)
                    on_frames(item.frames)
        if call.stats is None:
            raise DittoError("the server ended the call early, without its closing numbers")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return CallResult(call.started, call.stats, time.monotonic() - begun)
