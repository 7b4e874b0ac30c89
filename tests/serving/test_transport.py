"""Connections that say nothing, die silently, or are too many; calls that are too many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from ditto.serving.interceptor import CallInterceptor
from ditto.serving.transport import TransportLimits
from ditto.v1 import stage_status_pb2 as pb
from ditto.v1.stage_status_pb2_grpc import (
    StageStatusServiceServicer,
    StageStatusServiceStub,
    add_StageStatusServiceServicer_to_server,
)
from tests.until import until

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS = _PREFACE + b"\0\0\0\x04\0\0\0\0\0"
_ACKNOWLEDGED = _SETTINGS + b"\0\0\0\x04\x01\0\0\0\0"
_METHOD = "/ditto.v1.StageStatusService/GetStageStatus"


class Slow(StageStatusServiceServicer):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0

    async def GetStageStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.asked += 1
        await self.may_answer.wait()
        return pb.GetStageStatusResponse(module="m")


@asynccontextmanager
async def serving(**limits: Any) -> AsyncIterator[tuple[Slow, int]]:
    chosen = TransportLimits(**limits)
    interceptor = CallInterceptor(lambda: True, chosen.open_calls)
    server = grpc.aio.server(interceptors=[interceptor], options=chosen.server_options())
    servicer = Slow()
    add_StageStatusServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield servicer, port
    finally:
        await server.stop(None)


async def closed_after_s(port: int, said: bytes) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    begun = time.monotonic()
    writer.write(said)
    async with asyncio.timeout(20):
        while await reader.read(4096):
            pass
    writer.close()
    return time.monotonic() - begun


@pytest.mark.parametrize("said", [b"", _PREFACE, _SETTINGS, b"GET / HTTP/1.1\r\n\r\n", b"\0" * 99])
async def test_who_does_not_speak_http2_is_not_kept(said: bytes) -> None:
    async with serving(connect_seconds=0.5) as (_, port):
        assert await closed_after_s(port, said) < 10


async def test_a_peer_that_does_not_answer_pings_is_given_up() -> None:
    async with serving(keepalive_seconds=1, keepalive_timeout_seconds=1) as (_, port):
        assert 1 < await closed_after_s(port, _ACKNOWLEDGED) < 15


async def test_a_connection_without_calls_is_closed() -> None:
    async with serving(connection_idle_seconds=1) as (_, port):
        assert await closed_after_s(port, _ACKNOWLEDGED) < 15


async def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    async with serving(connections=4, connect_seconds=2) as (servicer, port):
        servicer.may_answer.set()
        held = [asyncio.create_task(closed_after_s(port, b"")) for _ in range(8)]
        await until(lambda: sum(task.done() for task in held) == 4)
        assert all(task.result() < 2 for task in held if task.done())
        await asyncio.gather(*held)
        async with _channel(port) as channel:
            assert await _is_answered(channel)


async def test_calls_beyond_the_limit_are_refused_and_told_when_to_come_back() -> None:
    async with serving(open_calls=3) as (servicer, port), _channel(port) as channel:
        stub = StageStatusServiceStub(channel)
        held = [stub.GetStageStatus(pb.GetStageStatusRequest()) for _ in range(3)]
        await until(lambda: servicer.asked == 3)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GetStageStatus(pb.GetStageStatusRequest())
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert dict(refusal.value.trailing_metadata())["retry-after-ms"].isdigit()
        servicer.may_answer.set()
        assert [(await call).module for call in held] == ["m"] * 3
        assert (await stub.GetStageStatus(pb.GetStageStatusRequest())).module == "m"


async def test_a_call_that_sends_no_request_holds_a_place_only_while_it_is_open() -> None:
    async with serving(open_calls=1) as (servicer, port):
        servicer.may_answer.set()
        async with _channel(port) as channel:
            silent = await _holding_the_only_place(channel)
            silent.cancel()
            await until(lambda: _is_answered(channel))


async def _holding_the_only_place(channel: grpc.aio.Channel) -> grpc.aio.StreamUnaryCall:
    """A call that sends nothing. One that arrives while another is asking is refused itself, and is
    made again."""
    calls: list[grpc.aio.StreamUnaryCall] = []

    async def holds() -> bool:
        if not calls or calls[-1].done():
            calls.append(channel.stream_unary(_METHOD)(_never()))
        return not await _is_answered(channel)

    await until(holds)
    return calls[-1]


async def _never() -> AsyncIterator[bytes]:
    await asyncio.sleep(60)
    yield b""


async def _is_answered(channel: grpc.aio.Channel) -> bool:
    try:
        await StageStatusServiceStub(channel).GetStageStatus(pb.GetStageStatusRequest())
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return False
        raise
    return True


def _channel(port: int) -> grpc.aio.Channel:
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options)
