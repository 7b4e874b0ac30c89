"""What a client remembers of a call: what it sends again, and what it has had before."""

from __future__ import annotations

from typing import Any

import pytest

from ditto.client import call_memory
from ditto.client.call_memory import CallMemory
from ditto.client.servers import Patience, Servers
from ditto.errors import InvalidInputError
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def audio(text: bytes) -> pb.AnimateRequest:
    return pb.AnimateRequest(audio=text)


def frame(index: int, **fields: Any) -> pb.AnimateResponse:
    return pb.AnimateResponse(frame=pb.VideoFrame(index=index), **fields)


def started(memory: CallMemory) -> CallMemory:
    memory.started(pb.Started(resume_token=b"first"))
    return memory


def everything(memory: CallMemory) -> list[pb.AnimateRequest]:
    """What a new server would be sent after its first message."""
    found, number, since = [], 0, memory.end
    while following := memory.request(number, since):
        number = following[0] + 1
        found.append(following[1])
    return found


def test_it_sends_again_what_lies_behind_the_point() -> None:
    now = Now()
    memory = started(CallMemory(pb.AnimateConfig(portrait=b"face"), True, now))
    memory.add(audio(b"abcd"))
    memory.add(pb.AnimateRequest(control=types.MotionControl(mouth_gain=1.5)))
    memory.add(audio(b"efgh"))
    memory.passed(3)
    now.s += 1.5
    assert memory.is_new(frame(0, resume_point=pb.ResumePoint(token=b"t", speech_offset=6)))
    now.s += 0.5
    config = memory.opening().config
    assert config.portrait == b"face"
    assert config.resume == pb.Resume(
        token=b"t", next_frame_index=1, speech_offset=6, silent_ms=500, speech_bytes=8
    )
    control, rest = everything(memory)
    assert control.control == types.MotionControl(mouth_gain=1.5, from_frame=0)
    assert rest == pb.AnimateRequest(audio=b"gh", sent_ms_ago=2000)
    memory.is_new(
        pb.AnimateResponse(resume_point=pb.ResumePoint(token=b"t", speech_offset=6, controls=1))
    )
    assert [each.audio for each in everything(memory)] == [b"gh"]


def test_frames_are_taken_once() -> None:
    memory = started(CallMemory(pb.AnimateConfig(), True))
    assert [memory.is_new(frame(index)) for index in (0, 1, 1, 0, 2)] == [True] * 2 + [
        False
    ] * 2 + [True]
    tail = pb.AnimateResponse(chunk=pb.ContainerChunk(first_frame_index=-1))
    assert memory.is_new(tail)
    assert not memory.is_new(tail)


def test_events_of_frames_that_came_are_not_told_twice() -> None:
    memory = started(CallMemory(pb.AnimateConfig(), True))
    memory.add(pb.AnimateRequest(interrupt=pb.Interrupt()))
    events = [
        pb.AnimateResponse(event=pb.Event(kind=kind, frame_index=3))
        for kind in (pb.EVENT_KIND_SPEECH_STARTED, pb.EVENT_KIND_INTERRUPTED)
    ]
    assert [memory.is_new(event) for event in events] == [True, True]
    memory.opening()
    assert [memory.is_new(event) for event in events] == [False, False]
    assert memory.is_new(events[1])


def test_a_call_without_another_server_keeps_nothing() -> None:
    memory = CallMemory(pb.AnimateConfig(), is_kept=False)
    for _ in range(100):
        memory.add(audio(b"x" * 1000))
        assert memory.request(memory.end - 1, 0)
        memory.passed(memory.end)
    assert not memory.can_resume
    assert not memory._entries


def test_too_much_under_way_gives_resuming_up_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_memory, "MEMORY_BYTES", 100)
    memory = started(CallMemory(pb.AnimateConfig(), True))
    for number in range(5):
        memory.add(audio(bytes([number]) * 30))
    assert not memory.can_resume
    assert [each.audio[0] for each in everything(memory)] == [0, 1, 2, 3, 4]


def test_servers_in_their_order() -> None:
    servers: Servers[str] = Servers("a:1, b:2,c:3", str)
    assert servers.in_order() == ["a:1", "b:2", "c:3"]
    assert servers.in_order(lost="b:2") == ["c:3", "a:1", "b:2"]
    servers.works("c:3")
    assert servers.in_order() == ["c:3", "a:1", "b:2"]
    nobodies: list[str | list[str]] = ["", "a:1,", []]
    for nobody in nobodies:
        with pytest.raises(InvalidInputError, match="target"):
            Servers(nobody, str)
    with pytest.raises(InvalidInputError, match="stall_seconds"):
        Patience(point_interval_ms=1000, stall_seconds=2.0)
