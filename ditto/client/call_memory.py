"""What a client remembers of a call, so that another server can go on with it.

Everything sent since the last resume point, and what has come back: with both, a call that broke
off continues elsewhere and every frame is handed out once, in order. It has no input or output of
its own; both clients use it, from any thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from ditto.v1 import animation_pb2 as pb

MEMORY_BYTES = 64 * 2**20
"""Most speech kept for sending again; a call that has more under way cannot be resumed."""
_LONGEST_MS = 60_000
_SPEECH_EVENTS = (pb.EVENT_KIND_SPEECH_STARTED, pb.EVENT_KIND_SPEECH_ENDED)
_TOLD_EVENTS = 16


@dataclass
class _Entry:
    """A request after the settings, and where it stands in the call."""

    request: pb.AnimateRequest
    end: int
    """Bytes of speech, or controls, or interrupts so far, this one among them."""
    at_s: float
    next_frame: int
    is_answered: bool = False
    """The interrupt's event has come."""


class CallMemory:
    """The requests of one call in order, numbered from 0, and what came of them."""

    def __init__(
        self,
        config: pb.AnimateConfig,
        is_kept: bool,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`config` is the call's first message; `is_kept` says whether it may go on elsewhere."""
        self._config = config
        self._is_kept = is_kept
        self._now_s = now_s
        self._lock = Lock()
        self._entries: deque[_Entry] = deque()
        self._first = self._passed = 0
        self._kept_bytes = 0
        self._counts = {"audio": 0, "control": 0, "interrupt": 0}
        self._point = pb.ResumePoint()
        self._told: deque[tuple[int, int]] = deque(maxlen=_TOLD_EVENTS)
        self._answers_to_come = 0
        self._is_elsewhere = False
        self._has_tail = False
        """The rest of an MP4's sound has come, behind its last frame."""
        self._heard_at_s = now_s()
        self.next_frame = 0
        """The first frame that has not been received."""
        self.is_ended = False
        """No more requests will come."""

    @property
    def can_resume(self) -> bool:
        """A server has said where, and nothing since had to be forgotten."""
        return self._is_kept and bool(self._point.token)

    @property
    def silent_s(self) -> float:
        """Time since a frame came, or the call began."""
        return self._now_s() - self._heard_at_s

    @property
    def end(self) -> int:
        """Requests so far."""
        return self._first + len(self._entries)

    def add(self, request: pb.AnimateRequest) -> None:
        """The caller wants this sent."""
        with self._lock:
            kind = request.WhichOneof("request") or ""
            if kind in self._counts:
                self._counts[kind] += len(request.audio) if kind == "audio" else 1
            end = self._counts.get(kind, 0)
            self._entries.append(_Entry(request, end, self._now_s(), self.next_frame))
            self._kept_bytes += len(request.audio)
            if self._kept_bytes > MEMORY_BYTES:
                self._is_kept = False
            self._forget()

    def request(self, number: int, since: int) -> tuple[int, pb.AnimateRequest] | None:
        """The first request from `number` on that still matters, and its number; None if none.

        Requests before `since` are being sent again, the others for the first time.
        """
        with self._lock:
            number = max(number, self._first)
            while number < self.end and self._is_covered(self._entries[number - self._first]):
                number += 1
            if number >= self.end:
                return None
            entry = self._entries[number - self._first]
            return number, entry.request if number >= since else self._again(entry)

    def passed(self, number: int) -> None:
        """The requests before this one have been sent."""
        with self._lock:
            self._passed = number
            self._forget()

    def started(self, started: pb.Started) -> None:
        """The call has begun, here or elsewhere."""
        with self._lock:
            if not self._point.token:
                self._point = pb.ResumePoint(token=started.resume_token)
                self._heard_at_s = self._now_s()

    def is_new(self, response: pb.AnimateResponse) -> bool:
        """Take a response; False for what the caller has had before."""
        with self._lock:
            if response.HasField("resume_point"):
                self._point = response.resume_point
                self._forget()
            kind = response.WhichOneof("response")
            if kind == "frame":
                return self._is_next(response.frame.index, 1)
            if kind == "chunk":
                return self._is_next_chunk(response.chunk)
            return kind != "event" or self._is_news(response.event)

    def opening(self) -> pb.AnimateRequest:
        """The first message to a server: the call's settings, or where it goes on."""
        with self._lock:
            if not self._point.token:
                return pb.AnimateRequest(config=self._config)
            self._is_elsewhere = True
            waiting = (e for e in self._entries if e.is_answered and not self._is_covered(e))
            self._answers_to_come = sum(1 for _ in waiting)
            resume = pb.Resume(
                token=self._point.token,
                next_frame_index=self.next_frame,
                speech_offset=self._point.speech_offset,
                silent_ms=self._milliseconds_since(self._heard_at_s),
                speech_bytes=self._counts["audio"],
            )
            config = pb.AnimateConfig(resume=resume)
            if self._config.HasField("portrait"):
                config.portrait = self._config.portrait
            return pb.AnimateRequest(config=config)

    def _is_next(self, first_frame: int, frames: int) -> bool:
        if first_frame < self.next_frame:
            return False
        self.next_frame = first_frame + frames
        self._heard_at_s = self._now_s()
        return True

    def _is_next_chunk(self, chunk: pb.ContainerChunk) -> bool:
        if chunk.frame_count:
            return self._is_next(chunk.first_frame_index, chunk.frame_count)
        had_tail, self._has_tail = self._has_tail, True
        return not had_tail

    def _is_news(self, event: pb.Event) -> bool:
        if event.kind == pb.EVENT_KIND_INTERRUPTED:
            if self._answers_to_come:
                self._answers_to_come -= 1
                return False
            asked = (e for e in self._entries if e.request.HasField("interrupt"))
            if entry := next((e for e in asked if not e.is_answered), None):
                entry.is_answered = True
        elif event.kind in _SPEECH_EVENTS:
            key = (event.kind, event.frame_index)
            if self._is_elsewhere and key in self._told:
                return False
            self._told.append(key)
        return True

    def _forget(self) -> None:
        """Drop what has been sent and will not be sent again."""
        while self._entries and self._first < self._passed:
            if self._is_kept and not self._is_covered(self._entries[0]):
                break
            self._kept_bytes -= len(self._entries.popleft().request.audio)
            self._first += 1

    def _is_covered(self, entry: _Entry) -> bool:
        kind = entry.request.WhichOneof("request")
        if kind == "audio":
            return entry.end <= self._point.speech_offset
        if kind == "control":
            return entry.end <= self._point.controls
        return kind == "interrupt" and entry.end <= self._point.interrupts

    def _again(self, entry: _Entry) -> pb.AnimateRequest:
        request = pb.AnimateRequest()
        request.CopyFrom(entry.request)
        request.sent_ms_ago = self._milliseconds_since(entry.at_s)
        if request.HasField("audio"):
            known = self._point.speech_offset - (entry.end - len(request.audio))
            request.audio = request.audio[max(0, known) :]
        elif request.HasField("control") and not request.control.HasField("from_frame"):
            request.control.from_frame = entry.next_frame
        return request

    def _milliseconds_since(self, moment_s: float) -> int:
        return min(_LONGEST_MS, int((self._now_s() - moment_s) * 1000))
