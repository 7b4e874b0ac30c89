"""First messages are read a few at a time, and nobody is locked out by callers that say nothing."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.audio2face2d.v1.audio2face2d_pb2_grpc import Audio2Face2DServiceStub
from ditto.errors import AtCapacityError
from gateway.handshakes import Handshakes
from tests.gateway.cluster import Cluster, config
from tests.until import until

DOORS = ("ours", "Audio2Face-2D")


async def test_messages_are_read_a_few_at_a_time_in_order() -> None:
    handshakes, reading, most, order = Handshakes(60, at_once=2), 0, 0, []

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
    handshakes = Handshakes(60, at_once=1, turn_s=0.05)
    late = asyncio.create_task(handshakes.read(asyncio.sleep(0.4, "late")))
    await asyncio.sleep(0)
    began = time.monotonic()
    assert await handshakes.read(asyncio.sleep(0, "prompt")) == "prompt"
    assert 0.03 < time.monotonic() - began < 0.3
    assert await late == "late"


async def test_waiting_for_a_turn_costs_a_call_none_of_its_time() -> None:
    handshakes = Handshakes(0.4, at_once=1, turn_s=0.5)
    late = asyncio.create_task(handshakes.read(asyncio.sleep(0.3, "late")))
    await asyncio.sleep(0)
    assert await handshakes.read(asyncio.sleep(0.3, "slow")) == "slow"
    assert await late == "late"


async def test_a_call_without_a_turn_in_time_is_told_to_come_again() -> None:
    handshakes = Handshakes(0.05, at_once=1)
    await handshakes._turns.acquire()
    message = asyncio.get_running_loop().create_future()
    with pytest.raises(AtCapacityError, match=r"was not read within 0.05 s"):
        await handshakes.read(message)
    assert not message.cancelled()


async def test_a_call_that_is_given_up_stops_reading() -> None:
    handshakes, stopped = Handshakes(60, at_once=1), asyncio.Event()

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


def refused_call(cluster: Cluster, door: str, channel: grpc.aio.Channel) -> grpc.aio.Call:
    """A call whose first message is read, and refused for a setting."""
    if door == "ours":
        return cluster.stub.Animate(iter([config(frame_rate=7)]), timeout=20)
    first = a2f.AnimateRequest(config=a2f.AnimateConfig(blink_frequency=121))
    return Audio2Face2DServiceStub(channel).Animate(iter([first]), timeout=20)


def silent_call(cluster: Cluster, door: str, channel: grpc.aio.Channel) -> grpc.aio.Call:
    stub = cluster.stub if door == "ours" else Audio2Face2DServiceStub(channel)
    return stub.Animate(timeout=20)


@pytest.mark.parametrize("refused", DOORS)
@pytest.mark.parametrize("silent", DOORS)
async def test_calls_of_both_contracts_wait_for_the_same_turns(
    cluster: Cluster, silent: str, refused: str
) -> None:
    turns = Handshakes(20, at_once=1, turn_s=20)
    cluster.gateway._servicer.handshakes = turns
    async with grpc.aio.insecure_channel(cluster.address) as channel:
        before = silent_call(cluster, silent, channel)
        await until(turns._turns.locked)
        after = refused_call(cluster, refused, channel)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(after.code()), 0.3)
        before.cancel()
        assert await after.code() is grpc.StatusCode.INVALID_ARGUMENT
