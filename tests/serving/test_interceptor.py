"""Errors on the wire, over a real gRPC server: statuses, trailers, and nothing that leaks."""

from __future__ import annotations

import asyncio
import json
import logging
import weakref

import grpc
import numpy as np
import pytest
from prometheus_client import REGISTRY

from ditto import errors
from ditto.serving.errors import error_from_rpc
from ditto.serving.interceptor import CallInterceptor
from ditto.serving.logging import JsonFormatter, set_call_id
from ditto.v1 import audio_encoder_pb2 as pb
from ditto.v1 import stage_status_pb2 as status_pb
from ditto.v1.audio_encoder_pb2_grpc import (
    AudioEncoderServiceServicer,
    AudioEncoderServiceStub,
    add_AudioEncoderServiceServicer_to_server,
)
from ditto.v1.stage_status_pb2_grpc import (
    StageStatusServiceServicer,
    StageStatusServiceStub,
    add_StageStatusServiceServicer_to_server,
)
from tests.until import until


class Raising(AudioEncoderServiceServicer, StageStatusServiceServicer):
    """Raises what the test asks for, in a streamed and in a unary method."""

    error: Exception | None = None
    closed = False

    async def Encode(self, request_iterator, context):  # noqa: N802
        try:
            async for request in request_iterator:
                set_call_id(request.config.call_id or "none")
                if self.error is not None:
                    raise self.error
                yield pb.EncodeResponse()
        finally:
            self.closed = True

    async def GetStageStatus(self, request, context):  # noqa: N802
        if self.error is not None:
            raise self.error
        return status_pb.GetStageStatusResponse(module="m")


class Flooding(Raising):
    """Writes until nobody takes it in any more."""

    broken_writes = 0

    async def Encode(self, request_iterator, context):  # noqa: N802
        features = pb.EncodedFeatures(checkpoint=bytes(2 << 20))
        try:
            while True:
                await context.write(pb.EncodeResponse(features=features))
        except grpc.aio.InternalError:
            self.broken_writes += 1
            raise


class Refusing(Raising):
    """Holds something as it refuses."""

    async def GetStageStatus(self, request, context):  # noqa: N802
        portrait = np.zeros(1000)
        self.held = weakref.ref(portrait)
        raise errors.InvalidInputError("portrait", "is no image")


class Served:
    """A server on loopback and a channel to it."""

    def __init__(self, servicer: Raising | None = None) -> None:
        self.servicer = servicer or Raising()

    async def __aenter__(self) -> Served:
        self.is_ready = True
        self.server = grpc.aio.server(interceptors=[CallInterceptor(lambda: self.is_ready)])
        add_AudioEncoderServiceServicer_to_server(self.servicer, self.server)
        add_StageStatusServiceServicer_to_server(self.servicer, self.server)
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        await self.server.stop(None)

    async def stream(self, call_id: str = "call-7") -> list[pb.EncodeResponse]:
        request = pb.EncodeRequest(config=pb.EncodeConfig(call_id=call_id))
        return [
            each async for each in AudioEncoderServiceStub(self.channel).Encode(iter([request]))
        ]

    async def unary(self) -> status_pb.GetStageStatusResponse:
        stub = StageStatusServiceStub(self.channel)
        return await stub.GetStageStatus(status_pb.GetStageStatusRequest())


def calls_counted(status: str) -> float:
    return REGISTRY.get_sample_value("ditto_calls_total", {"status": status}) or 0.0


TREE = [
    (errors.InvalidInputError("portrait", "is no image"), "INVALID_ARGUMENT"),
    (errors.FaceError("no face was found"), "FAILED_PRECONDITION"),
    (errors.AvatarNotFoundError("no avatar x"), "NOT_FOUND"),
    (errors.ProtocolError("config twice"), "FAILED_PRECONDITION"),
    (errors.AtCapacityError("full", 250), "RESOURCE_EXHAUSTED"),
    (errors.CallLimitError("idle"), "RESOURCE_EXHAUSTED"),
    (errors.StageUnavailableError("gone"), "UNAVAILABLE"),
    (errors.UnsupportedError("no such pack"), "UNIMPLEMENTED"),
    (errors.CorruptDataError("damaged"), "DATA_LOSS"),
]


@pytest.mark.parametrize(("raised", "status"), TREE, ids=[type(e).__name__ for e, _ in TREE])
@pytest.mark.parametrize("method", ["stream", "unary"])
async def test_every_error_arrives_as_itself(raised, status, method):
    async with Served() as served:
        served.servicer.error = raised
        before = calls_counted(status)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await getattr(served, method)()
        assert failed.value.code().name == status
        await until(lambda: calls_counted(status) == before + 1)
        arrived = error_from_rpc(failed.value, "stage")
        assert type(arrived) is type(raised)
        assert str(arrived) == str(raised)
        assert vars(arrived) == vars(raised)


async def test_a_retry_time_is_in_the_trailers():
    async with Served() as served:
        served.servicer.error = errors.AtCapacityError("full", 250)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await served.unary()
        assert ("retry-after-ms", "250") in tuple(failed.value.trailing_metadata())


async def test_unexpected_errors_say_nothing_and_are_logged_with_the_call(caplog):
    async with Served() as served:
        served.servicer.error = RuntimeError("secret detail")
        with caplog.at_level(logging.ERROR), pytest.raises(grpc.aio.AioRpcError) as failed:
            await served.stream("call-9")
        assert failed.value.code() is grpc.StatusCode.INTERNAL
        assert failed.value.details() == "internal error, see log call-9"
        (record,) = [r for r in caplog.records if r.exc_info]
        assert "secret detail" in JsonFormatter("m", "r").format(record)
        assert type(error_from_rpc(failed.value, "stage")) is errors.DittoError


async def test_nothing_is_kept_of_what_a_refused_call_held():
    refusing = Refusing()
    async with Served(refusing) as served:
        with pytest.raises(grpc.aio.AioRpcError):
            await served.unary()
        await until(lambda: refusing.held() is None, 0.5)


async def test_a_peer_that_is_gone_is_unavailable():
    async with Served() as served:
        await served.server.stop(None)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await served.unary()
        assert isinstance(error_from_rpc(failed.value, "stage"), errors.StageUnavailableError)


async def test_bytes_that_are_no_message_are_invalid():
    garbage = b"\xff\xff\xff"
    async with Served() as served:
        unary = served.channel.unary_unary("/ditto.v1.StageStatusService/GetStageStatus")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await unary(garbage)
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        stream = served.channel.stream_stream("/ditto.v1.AudioEncoderService/Encode")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await stream(iter([garbage])).read()
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_calls_while_loading_are_unavailable():
    async with Served() as served:
        served.is_ready = False
        for attempt in (served.unary, served.stream):
            with pytest.raises(grpc.aio.AioRpcError, match="loading") as failed:
                await attempt()
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_cancelled_call_closes_its_generator():
    async with Served() as served:
        before = calls_counted("CANCELLED")
        call = AudioEncoderServiceStub(served.channel).Encode()
        await call.write(pb.EncodeRequest())
        await call.read()
        call.cancel()
        await until(lambda: served.servicer.closed)
        await until(lambda: calls_counted("CANCELLED") == before + 1)


async def test_a_write_that_breaks_as_the_caller_goes_is_a_cancelled_call(caplog):
    flooding, calls = Flooding(), 0
    before = {status: calls_counted(status) for status in ("CANCELLED", "INTERNAL")}
    async with Served(flooding) as served, asyncio.timeout(30):
        while flooding.broken_writes < 5:  # else the cancellation was there before
            call = AudioEncoderServiceStub(served.channel).Encode()
            await call.initial_metadata()
            await asyncio.sleep(0.02)  # a write waits now
            call.cancel()
            calls += 1
        await until(lambda: calls_counted("CANCELLED") == before["CANCELLED"] + calls)
    assert calls_counted("INTERNAL") == before["INTERNAL"]
    assert not caplog.records


def test_log_lines_are_json_with_call_and_fields():
    set_call_id("call-1")
    record = logging.makeLogRecord(
        {"msg": "took %d", "args": (3,), "levelname": "INFO", "fields": {"status": "OK"}}
    )
    line = json.loads(JsonFormatter("renderer", "r-1").format(record))
    assert (line["message"], line["status"], line["call_id"]) == ("took 3", "OK", "call-1")
    assert (line["module"], line["replica"], line["level"]) == ("renderer", "r-1", "info")
