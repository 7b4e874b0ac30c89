"""What is kept of a stage session's requests, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from ditto.v1.audio_encoder_pb2 import EncodeRequest
from gateway.stages import session_log
from gateway.stages.session_log import SessionLog


def request(number: int) -> EncodeRequest:
    return EncodeRequest(audio=bytes([number]) * 100)


async def filled(count: int) -> SessionLog[EncodeRequest]:
    log: SessionLog[EncodeRequest] = SessionLog()
    for number in range(count):
        assert await log.add(request(number)) == number
    return log


async def test_a_checkpoint_shortens_the_replay() -> None:
    log = await filled(10)
    log.answer(4, 4, b"state")
    assert (log.checkpoint, log.covered, log.end) == (b"state", 4, 10)
    assert log.requests == tuple(request(number) for number in range(4, 10))
    log.answer(9, 0)  # answered, but in no checkpoint: still needed
    assert (log.checkpoint, log.covered) == (b"state", 4)
    assert log.is_busy
    log.answer(10, 7, b"later")
    assert (log.checkpoint, log.requests) == (b"later", tuple(request(n) for n in (7, 8, 9)))
    assert not log.is_busy


async def test_a_follower_gets_what_comes_and_the_end() -> None:
    log = await filled(1)
    assert await log.request(0) == request(0)
    following = asyncio.create_task(log.request(1))
    await asyncio.sleep(0)
    assert not following.done()
    await log.add(request(1))
    assert await following == request(1)
    log.finish()
    assert await log.request(2) is None
    assert log.is_busy  # the last replies are still to come


async def test_a_writer_waits_while_too_much_is_uncovered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_log, "MAX_BYTES", 400)
    log = await filled(3)
    adding = asyncio.create_task(log.add(request(3)))
    await asyncio.sleep(0.01)
    assert not adding.done()
    log.answer(1, 1, b"state")
    assert await adding == 3
    adding = asyncio.create_task(log.add(request(4)))
    await asyncio.sleep(0.01)
    assert not adding.done()
    log.close()
    await adding


async def test_one_that_starts_over_has_other_requests_and_no_checkpoint() -> None:
    log = await filled(5)
    log.answer(3, 2, b"state")
    log.begin_again([request(9)])
    assert (log.checkpoint, log.requests, log.covered, log.end) == (b"", (request(9),), 4, 5)
    assert log.answered == 4
