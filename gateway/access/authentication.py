"""The interceptor that knows callers by their bearer tokens and holds them to their limits.

Health is open to everybody, for load balancers; everything else, reflection included, wants a token
where the configuration names a file of them. `gateway.access.tenants` knows its tenant then.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from grpc.aio import ServerInterceptor

from ditto.errors import DittoError, PermissionDeniedError, QuotaError, UnauthenticatedError
from ditto.serving import metrics
from ditto.serving.errors import status_of, trailers_of
from ditto.serving.watched_files import WatchedFiles
from gateway.access.tenants import Caller, set_caller
from gateway.access.token_file import KEY, TokenFile, read_token_file
from gateway.access.usage import Usage
from gateway.config import GatewayConfig

log = logging.getLogger(__name__)

_OPEN = "/grpc.health."
_REFLECTION = "/grpc.reflection."
_SCHEME = "bearer "


_REASONS = ("missing", "malformed", "unknown", "expired", "suspended", "quota")


def interceptors(config: GatewayConfig) -> Sequence[ServerInterceptor[Any, Any]]:
    """What stands before the gateway's service. Raises `SetupError` for an unusable file."""
    return [] if config.tokens_file is None else [Authentication(config.tokens_file)]


class Authentication(ServerInterceptor):  # type: ignore[type-arg]
    """Lets in whom the file of tokens names, as long as the file does."""

    def __init__(self, file: Path) -> None:
        read = partial(read_token_file, file)
        self._tokens: WatchedFiles[TokenFile] = WatchedFiles(KEY, [file], read)
        for reason in _REASONS:  # shown as 0: an alert sees only what increases
            metrics.DENIED.labels(reason)
        self._usage: dict[str, Usage] = {}

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Find out who calls before anything of the call is looked at."""
        method = handler_call_details.method
        if method.startswith(_OPEN):
            return await continuation(handler_call_details)
        try:
            caller = self._caller_of(handler_call_details.invocation_metadata)
        except DittoError as error:
            return grpc.stream_stream_rpc_method_handler(partial(_refuse, error))
        set_caller(caller)
        handler = await continuation(handler_call_details)
        if handler is None or method.startswith(_REFLECTION):
            return handler
        return _limited(handler, caller)

    def _caller_of(self, metadata: Any) -> Caller:
        found = self._tokens.refresh().find(_token_in(metadata))
        if found is None:
            raise _denied("unknown", UnauthenticatedError("authorization: the token is not known"))
        name, tenant, token = found
        if token.is_expired(datetime.now(UTC)):
            why = f"authorization: the token expired at {token.expires}"
            raise _denied("expired", UnauthenticatedError(why))
        if tenant.suspended:
            why = f"authorization: tenant {name} is suspended"
            raise _denied("suspended", PermissionDeniedError(why))
        usage = self._usage.setdefault(name, Usage())
        return Caller(name, tenant.limits, usage)


def _token_in(metadata: Any) -> str:
    values = [str(value) for key, value in metadata or () if key == "authorization"]
    if len(values) != 1:
        why = "authorization: this server wants one, `Bearer <token>`"
        raise _denied("missing", UnauthenticatedError(why))
    if not values[0].lower().startswith(_SCHEME):
        raise _denied("malformed", UnauthenticatedError("authorization: must be `Bearer <token>`"))
    return values[0][len(_SCHEME) :].strip()


def _denied(reason: str, error: DittoError) -> DittoError:
    metrics.DENIED.labels(reason).inc()
    return error


async def _refuse(error: DittoError, _: Any, context: Any) -> None:
    log.info("call denied", extra={"fields": {"why": str(error)}})
    await context.abort(status_of(error), str(error), trailers_of(error))


def _limited(handler: Any, caller: Caller) -> Any:
    """A guarded handler whose bytes are counted, and whose calls are within the tenant's limits."""
    behaviour = handler.stream_stream or handler.stream_unary

    async def run(requests: AsyncIterator[Any], context: Any) -> Any:
        try:
            caller.check()
            calls = caller.limits.calls if handler.response_streaming else None
            with caller.usage.call(calls):
                return await behaviour(_checked(requests, caller), context)
        except QuotaError as error:
            metrics.DENIED.labels("quota").inc()
            return await _refuse(error, requests, context)

    make = grpc.stream_stream_rpc_method_handler
    if not handler.response_streaming:
        make = grpc.stream_unary_rpc_method_handler
    read, write = handler.request_deserializer, handler.response_serializer
    return make(run, _counting_in(read, caller.usage), _counting_out(write, caller.usage))


async def _checked(requests: AsyncIterator[Any], caller: Caller) -> AsyncIterator[Any]:
    async for request in requests:
        caller.check()
        yield request


def _counting_in(read: Callable[[bytes], Any], usage: Usage) -> Callable[[bytes], Any]:
    def counted(data: bytes) -> Any:
        usage.add_bytes(len(data))
        return read(data)

    return counted


def _counting_out(write: Callable[[Any], bytes], usage: Usage) -> Callable[[Any], bytes]:
    def counted(message: Any) -> bytes:
        data = write(message)
        usage.add_bytes(len(data))
        return data

    return counted
