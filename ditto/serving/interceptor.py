"""The one server interceptor: errors become statuses, every call gets an id and is counted.

Nothing that the process did not mean to say reaches a caller: an unexpected exception is logged
with its traceback and answered as INTERNAL with the id of the call.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import AbortError, ServerInterceptor

from ditto.errors import DittoError, InvalidInputError, StageUnavailableError
from ditto.serving import metrics
from ditto.serving.errors import status_of, trailers_of
from ditto.serving.logging import current_call_id, set_call_id

log = logging.getLogger(__name__)

Context = Any
"""A `grpc.aio.ServicerContext`."""
Behaviour = Callable[[Any, Context], Any]
_CANCELLATION_LAG_S = 0.003
_STANDARD_SERVICES = ("/grpc.health.", "/grpc.reflection.")


class CallInterceptor(ServerInterceptor):  # type: ignore[type-arg]
    """Guards every method but health and reflection.

    A method may be a coroutine (which writes to the context where it streams) or an async
    generator of responses; a generator is closed as soon as its call ends.
    """

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        """``is_ready`` says whether loading is over; until then calls answer UNAVAILABLE."""
        self._is_ready = is_ready

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Wrap the handler of one call."""
        if handler_call_details.method.startswith(_STANDARD_SERVICES):
            return await continuation(handler_call_details)
        if not self._is_ready():
            return grpc.stream_stream_rpc_method_handler(_guard(_still_loading))
        handler = await continuation(handler_call_details)
        return handler if handler is None else _guarded(handler)


async def _still_loading(_: Any, __: Context) -> None:
    raise StageUnavailableError("the server is still loading; try again shortly")


def _guarded(handler: Any) -> Any:
    codec = {
        "request_deserializer": _tolerant(handler.request_deserializer),
        "response_serializer": handler.response_serializer,
    }
    if handler.request_streaming and handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(_guard(handler.stream_stream), **codec)
    if handler.request_streaming:
        return grpc.stream_unary_rpc_method_handler(_guard(handler.stream_unary), **codec)
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(_guard(handler.unary_stream), **codec)
    return grpc.unary_unary_rpc_method_handler(_guard(handler.unary_unary), **codec)


def _tolerant(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A reader that hands undecodable requests on as `_Undecodable`, for the guard to refuse."""

    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return _UNDECODABLE

    return read


_UNDECODABLE = object()


def _checked(request: Any) -> Any:
    if request is _UNDECODABLE:
        raise InvalidInputError("request", "is not a message of this method")
    return request


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)
    # A cancelled call ends its requests just as a closed one does, shortly before the cancellation
    # itself arrives: without this wait the handler would go on to finish the speech.
    await asyncio.sleep(_CANCELLATION_LAG_S)


def _guard(behaviour: Behaviour) -> Behaviour:
    async def run(request: Any, context: Context) -> Any:
        set_call_id(uuid.uuid4().hex[:12])
        status = grpc.StatusCode.OK
        try:
            streamed = hasattr(request, "__aiter__")
            checked = _checked_stream(request) if streamed else _checked(request)
            return await _invoke(behaviour, checked, context)
        except asyncio.CancelledError:
            status = grpc.StatusCode.CANCELLED
            raise
        except AbortError:
            status = context.code() or grpc.StatusCode.UNKNOWN
            raise
        except DittoError as error:
            status = status_of(error)
            log.info("call failed", extra={"fields": {"status": status.name, "why": str(error)}})
            measured = tuple(context.trailing_metadata() or ())
            await context.abort(status, str(error), (*measured, *trailers_of(error)))
        except Exception:
            status = grpc.StatusCode.INTERNAL
            log.exception("unexpected error")
            await context.abort(status, f"internal error, see log {current_call_id()}")
        finally:
            metrics.CALLS.labels(_status_name(status)).inc()

    return run


async def _invoke(behaviour: Behaviour, request: Any, context: Context) -> Any:
    result = behaviour(request, context)
    if not inspect.isasyncgen(result):
        return await result
    async with aclosing(result) as responses:
        async for response in responses:
            await context.write(response)
    return None


def _status_name(status: Any) -> str:
    return status.name if isinstance(status, grpc.StatusCode) else grpc.StatusCode.UNKNOWN.name
