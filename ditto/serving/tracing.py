"""Optional OpenTelemetry traces: a span for each call, and one for each stage step in it.

A caller's W3C ``traceparent`` makes our spans part of its trace; the gateway hands it on to the
stages. While tracing is off, none of its packages is imported and no call is wrapped.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import grpc
from grpc.aio import ServerInterceptor

from ditto.errors import SetupError
from ditto.serving.config import ProcessConfig
from ditto.serving.logging import current_call_id
from ditto.serving.step_time import StepTime

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_UNTRACED = ("/grpc.health.", "/grpc.reflection.", "/ditto.v1.StageStatusService/")
_HEADERS = ("traceparent", "tracestate")
_tracer: Tracer | None = None


def start_tracing(module: str, config: ProcessConfig) -> None:
    """Send spans to the collector that the configuration names, if it does.

    Raises `SetupError` where the packages are not installed.
    """
    if config.otlp_endpoint is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise SetupError(
            f"otlp_endpoint: {error.name} is missing; pip install 'ditto-cluster[otel]'"
        ) from None
    about = {"service.name": f"ditto-{module}", "service.instance.id": config.replica}
    sampler = ParentBased(TraceIdRatioBased(config.otlp_ratio))
    provider = TracerProvider(sampler=sampler, resource=Resource.create(about))
    exporter = OTLPSpanExporter(endpoint=config.otlp_endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use_tracer(provider.get_tracer("ditto"))


def use_tracer(tracer: Tracer | None) -> None:
    """Make spans with this tracer from here on; None for none."""
    global _tracer
    _tracer = tracer


def tracing_interceptors() -> Sequence[ServerInterceptor[Any, Any]]:
    """What a server needs to trace its calls: nothing while tracing is off."""
    return [] if _tracer is None else [_CallSpans(_tracer)]


def record_step(module: str, took: StepTime) -> None:
    """A step of the present call has just ended."""
    if _tracer is None:
        return
    end_ns = time.time_ns()
    begun_ns = end_ns - round((took.compute_s + took.queue_s) * 1e9)
    attributes = {
        "ditto.compute_ms": took.compute_s * 1e3,
        "ditto.queue_ms": took.queue_s * 1e3,
        "ditto.batch_size": took.batch_size,
    }
    span = _tracer.start_span(f"{module} step", start_time=begun_ns, attributes=attributes)
    span.end(end_ns)


def trace_metadata() -> tuple[tuple[str, str], ...] | None:
    """Metadata that makes a call to another process part of the present one's trace."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return tuple(headers.items())


class _CallSpans(ServerInterceptor):  # type: ignore[type-arg]
    """A span around each call. Stands before the interceptor that makes streams of all methods."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Wrap the handler of one call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_UNTRACED):
            return handler
        parent = _parent_in(handler_call_details.invocation_metadata)
        behaviour = handler.stream_stream or handler.stream_unary

        async def run(requests: Any, context: Any) -> Any:
            return await self._traced(method, parent, lambda: behaviour(requests, context), context)

        make = grpc.stream_stream_rpc_method_handler
        if not handler.response_streaming:
            make = grpc.stream_unary_rpc_method_handler
        return make(run, handler.request_deserializer, handler.response_serializer)

    async def _traced(
        self, method: str, parent: Any, call: Callable[[], Awaitable[Any]], context: Any
    ) -> Any:
        from opentelemetry.trace import SpanKind

        with self._tracer.start_as_current_span(
            method.strip("/"), parent, SpanKind.SERVER, record_exception=False
        ) as span:
            try:
                return await call()
            finally:
                span.set_attribute("ditto.call_id", current_call_id())
                code = context.code() or grpc.StatusCode.OK
                number = code.value[0] if isinstance(code, grpc.StatusCode) else int(code)
                span.set_attribute("rpc.grpc.status_code", number)


def _parent_in(metadata: Any) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {key: str(value) for key, value in metadata or () if key in _HEADERS}
    return TraceContextTextMapPropagator().extract(carrier)
