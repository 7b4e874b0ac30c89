"""First messages are read a few at a time, and nobody is locked out by callers that say nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.handshakes import Handshakes


async def test_messages_are_read_a_few_at_a_time_in_order() -> None:
    handshakes, reading, most, order = Handshakes(at_once=2), 0, 0, []

    async def message(number: int) -> int:
        nonlocal reading, most
        order.append(number)
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.01)
        reading -= 1
        return number

    read = await asyncio.gather(*(handshakes.read(message(n)) for n in range(10)))
    assert read == order == list(range(10))
    assert most == 2


async def test_silence_holds_no_turn() -> None:
    handshakes = Handshakes(at_once=1, turn_s=0.05)
    late = asyncio.create_task(handshakes.read(asyncio.sleep(0.4, "late")))
    await asyncio.sleep(0)
    began = time.monotonic()
    assert await handshakes.read(asyncio.sleep(0, "prompt")) == "prompt"
    assert 0.03 < time.monotonic() - began < 0.3
    assert await late == "late"


async def test_patience_has_an_end() -> None:
    handshakes = Handshakes(at_once=1, turn_s=5, patience_s=0.05)
    late = asyncio.create_task(handshakes.read(asyncio.sleep(0.5, "late")))
    await asyncio.sleep(0)
    assert await handshakes.read(asyncio.sleep(0, "patient")) == "patient"
    assert not late.done()
    assert await late == "late"


async def test_a_call_that_is_given_up_stops_reading() -> None:
    handshakes, stopped = Handshakes(at_once=1), asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await handshakes.read(never())
    await asyncio.wait_for(stopped.wait(), 1)
    assert await handshakes.read(asyncio.sleep(0, "next")) == "next"
