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
from grpc.aio import AbortError, ServerInterceptor

from ditto.errors import (
    AtCapacityError,
    DittoError,
    InvalidInputError,
    ProtocolError,
    StageUnavailableError,
)
from ditto.serving import metrics
from ditto.serving.errors import shortened, status_of, trailers_of
from ditto.serving.logging import current_call_id, set_call_id
from ditto.serving.message_reader import reader_of

log = logging.getLogger(__name__)

Context = Any
"""A `grpc.aio.ServicerContext`."""
Behaviour = Callable[[Any, Context], Any]
_CANCELLATION_LAG_S = 0.003
_BROKEN_WRITE_LAG_S = 0.05
_ONLY_REQUEST_S = 60.0
_STANDARD_SERVICES = ("/grpc.health.", "/grpc.reflection.")


class CallInterceptor(ServerInterceptor):  # type: ignore[type-arg]
    """Guards every method but health and reflection.

    A method may be a coroutine (which writes to the context where it streams) or an async
    generator of responses; a generator is closed as soon as its call ends.
    """

    def __init__(self, is_ready: Callable[[], bool], most_calls: int = 512) -> None:
        """``is_ready`` says whether loading is over; until then calls answer UNAVAILABLE. More than
        ``most_calls`` at once answer RESOURCE_EXHAUSTED, before any of their messages is read."""
        self._is_ready = is_ready
        self._guard = _Guard(most_calls)

    def calls_ended(self) -> int:
        """Calls so far, whatever became of them."""
        return self._guard.ended

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Wrap the handler of one call."""
        if handler_call_details.method.startswith(_STANDARD_SERVICES):
            return await continuation(handler_call_details)
        if not self._is_ready():
            return grpc.stream_stream_rpc_method_handler(self._guard.around(_still_loading))
        handler = await continuation(handler_call_details)
        return handler if handler is None else self._guarded(handler)

    def _guarded(self, handler: Any) -> Any:
        """The handler as one of a stream of requests: a call that has a single one, which may be
        large, is then counted and timed before it is read."""
        behaviour, around = _behaviour_of(handler), self._guard.around
        codec = {
            "request_deserializer": reader_of(handler.request_deserializer),
            "response_serializer": handler.response_serializer,
        }
        if not handler.request_streaming:
            behaviour = _with_only_request(behaviour)
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(around(behaviour), **codec)
        return grpc.stream_unary_rpc_method_handler(around(behaviour), **codec)


async def _still_loading(_: Any, __: Context) -> None:
    raise StageUnavailableError("the server is still loading; try again shortly")


def _behaviour_of(handler: Any) -> Behaviour:
    kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    found: Behaviour = next(filter(None, (getattr(handler, kind) for kind in kinds)))
    return found


def _with_only_request(behaviour: Behaviour) -> Behaviour:
    """A method that takes one request as one that takes a stream of them."""

    async def read(requests: AsyncIterator[Any]) -> Any:
        try:
            async with asyncio.timeout(_ONLY_REQUEST_S):
                return await anext(requests)
        except (TimeoutError, StopAsyncIteration):
            raise ProtocolError(f"request: did not come within {_ONLY_REQUEST_S:g} s") from None

    async def run(requests: AsyncIterator[Any], context: Context) -> Any:
        return await _invoke(behaviour, await read(requests), context)

    return run


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        if isinstance(request, InvalidInputError):
            raise request
        yield request
    await _let_cancellation_arrive()  # without this the handler would go on to finish the speech


async def _let_cancellation_arrive(lag_s: float = _CANCELLATION_LAG_S) -> None:
    """A cancelled call ends its requests just as a closed one does, and fails its writes, shortly
    before the cancellation itself arrives."""
    await asyncio.sleep(lag_s)


class _Guard:
    """Counts the calls of a process and turns what they raise into statuses."""

    def __init__(self, most_calls: int) -> None:
        self._most = most_calls
        self._open = 0
        self.ended = 0

    def around(self, behaviour: Behaviour) -> Behaviour:
        """The same method, guarded."""

        async def run(requests: Any, context: Context) -> Any:
            set_call_id(uuid.uuid4().hex[:12])
            status = grpc.StatusCode.OK
            self._open += 1
            try:
                self._require_room()
                return await _invoke(behaviour, _checked_stream(requests), context)
            except asyncio.CancelledError:
                status = grpc.StatusCode.CANCELLED
                raise
            except AbortError:
                status = context.code() or grpc.StatusCode.UNKNOWN
                raise
            except DittoError as error:
                status, why = status_of(error), shortened(str(error))
                log.info("call failed", extra={"fields": {"status": status.name, "why": why}})
                measured = tuple(context.trailing_metadata() or ())
                _forget_the_way_of(error)
                await context.abort(status, why, (*measured, *trailers_of(error)))
            except Exception:
                status = grpc.StatusCode.CANCELLED
                # Writing to a caller who is gone is no defect.
                await _let_cancellation_arrive(_BROKEN_WRITE_LAG_S)
                status = grpc.StatusCode.INTERNAL
                log.exception("unexpected error")
                await context.abort(status, f"internal error, see log {current_call_id()}")
            finally:
                self._open -= 1
                self.ended += 1
                metrics.CALLS.labels(_status_name(status)).inc()

        return run

    def _require_room(self) -> None:
        if self._open > self._most:
            metrics.ADMISSIONS_REFUSED.labels("open_calls").inc()
            raise AtCapacityError(f"open_calls: {self._most} calls are open already")


def _forget_the_way_of(error: DittoError) -> None:
    """grpc keeps an aborted call for seconds, with it the error, and with that what every function
    on its way held: a picture of 160 MB, say."""
    error.__traceback__ = error.__cause__ = error.__context__ = None


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
