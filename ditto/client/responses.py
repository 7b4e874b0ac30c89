"""What a call gives, as plain Python values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ditto.v1 import animation_pb2 as pb


@dataclass(frozen=True)
class Frame:
    """One picture, in the encoding that was asked for."""

    index: int
    pts_seconds: float
    """When to show it, from frame 0 on."""
    speech_sample_offset: int
    """First sample of the speech that it shows, at 16 kHz from the start of the call."""
    data: bytes
    width: int = 0
    """Of a picture that is smaller than the server said at the start, under load; else 0."""
    height: int = 0


@dataclass(frozen=True)
class Chunk:
    """The next bytes of an MP4."""

    first_frame: int
    """-1 where there is none within."""
    frames: int
    data: bytes


class EventKind(StrEnum):
    """Kinds of events; the contract says what `Event.frame_index` means for each."""

    UNSPECIFIED = "unspecified"
    SPEECH_STARTED = "speech_started"
    SPEECH_ENDED = "speech_ended"
    INTERRUPTED = "interrupted"
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    DRAINING = "draining"
    FRAMES_SKIPPED = "frames_skipped"
    FAILED_OVER = "failed_over"
    RESUMED = "resumed"
    """Of the client itself: the call went on at another gateway, from `frame_index` on."""


@dataclass(frozen=True)
class Event:
    """Something that the caller may care about."""

    kind: EventKind
    frame_index: int
    detail: str
    deadline_ms: int
    gap_ms: float = 0.0
    """FAILED_OVER, RESUMED: how long nothing came."""


Item = Frame | Chunk | Event


def item_of(response: pb.AnimateResponse) -> Item | None:
    """A response as an item; None for what is none (the first and the last message)."""
    kind = response.WhichOneof("response")
    if kind == "frame":
        frame = response.frame
        pts_seconds = frame.pts_us / 1_000_000
        return Frame(
            frame.index,
            pts_seconds,
            frame.speech_sample_offset,
            frame.data,
            frame.width,
            frame.height,
        )
    if kind == "chunk":
        chunk = response.chunk
        return Chunk(chunk.first_frame_index, chunk.frame_count, chunk.data)
    if kind == "event":
        event = response.event
        kind_of = _kind_of(event.kind)
        return Event(kind_of, event.frame_index, event.detail, event.deadline_ms, event.gap_ms)
    return None


def _kind_of(kind: pb.EventKind) -> EventKind:
    if kind not in pb.EventKind.values():  # of a newer server
        return EventKind.UNSPECIFIED
    return EventKind(pb.EventKind.Name(kind).removeprefix("EVENT_KIND_").lower())
