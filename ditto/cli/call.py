"""One `Animate` call from files to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ditto.cli.gateway import gateway
from ditto.errors import DittoError
from ditto.v1.animation_pb2 import AnimateConfig, AnimateRequest, CallStats, Event, Started

MESSAGE_BYTES = 64_000
_PACED_MESSAGES_HZ = 50
"""As a microphone sends: 20 ms each."""


@dataclass(frozen=True)
class CallResult:
    """What the server told of a finished call."""

    started: Started
    stats: CallStats
    events: list[Event]
    wall_seconds: float


def animate_to_file(
    server: str,
    config: AnimateConfig,
    speech: bytes,
    target: Path,
    on_frames: Callable[[int], object],
    paced_seconds: float | None = None,
) -> CallResult:
    """Send a portrait and speech, write the container to `target`, whole or not at all.

    `paced_seconds` spreads the speech over that time, as a microphone would; None sends it at once.
    Raises the `DittoError` that the server raised, `StageUnavailableError` when none answers.
    """
    begun = time.monotonic()
    started, stats, events = None, None, []
    part = target.with_name(target.name + ".part")
    with gateway(server) as service:
        call = service.Animate(requests(config, speech, paced_seconds))
        try:
            with part.open("wb") as file:
                for response in call:
                    match response.WhichOneof("response"):
                        case "chunk":
                            file.write(response.chunk.data)
                            on_frames(response.chunk.frame_count)
                        case "started":
                            started = response.started
                        case "event":
                            events.append(response.event)
                        case "stats":
                            stats = response.stats
            if started is None or stats is None:
                raise DittoError(f"{server} ended the call early, without its closing numbers")
            part.replace(target)
        finally:
            call.cancel()
            part.unlink(missing_ok=True)
    return CallResult(started, stats, events, time.monotonic() - begun)


def requests(
    config: AnimateConfig, speech: bytes, paced_seconds: float | None = None
) -> Iterator[AnimateRequest]:
    """What a call sends, at once or spread over `paced_seconds`."""
    yield AnimateRequest(config=config)
    size, wait_s = MESSAGE_BYTES, 0.0
    if paced_seconds:
        size = max(1, round(len(speech) / (paced_seconds * _PACED_MESSAGES_HZ)))
        wait_s = 1 / _PACED_MESSAGES_HZ
    due = time.monotonic()
    for start in range(0, len(speech), size):
        due += wait_s
        time.sleep(max(0.0, due - time.monotonic()))
        yield AnimateRequest(audio=speech[start : start + size])
