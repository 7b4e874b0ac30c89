"""Traces of a call through the real stages and gateway, all in one process for one exporter."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ditto.errors import SetupError
from ditto.local_cluster.ports import free_port
from ditto.serving import tracing
from ditto.serving.config import ProcessConfig
from ditto.serving.server import Load, ProcessServer
from ditto.v1 import animation_pb2 as pb
from ditto.v1.animation_pb2_grpc import AnimationServiceStub
from gateway import service as gateway
from gateway.config import GatewayConfig
from services.audio_encoder import loader as audio_encoder
from services.audio_encoder.config import AudioEncoderConfig
from services.motion_dit import loader as motion_dit
from services.motion_dit.config import MotionDitConfig
from services.renderer import loader as renderer
from services.renderer.config import RendererConfig
from tests.gateway.cluster import running_cluster, speech, tone
from tests.serving.test_server import config as process_config
from tests.until import until

ROOT = Path(__file__).resolve().parents[1]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES: dict[str, tuple[Any, type[ProcessConfig]]] = {
    "audio_encoder": (audio_encoder, AudioEncoderConfig),
    "motion_dit": (motion_dit, MotionDitConfig),
    "renderer": (renderer, RendererConfig),
}
METHODS = {
    "audio_encoder": "ditto.v1.AudioEncoderService/Encode",
    "motion_dit": "ditto.v1.MotionDitService/Generate",
    "renderer": "ditto.v1.RendererService/Render",
}


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Everything that is traced meanwhile."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use_tracer(provider.get_tracer("test"))
    yield exporter
    tracing.use_tracer(None)


@asynccontextmanager
async def served(config: ProcessConfig, load: Load) -> AsyncIterator[str]:
    """A process's server in this process."""
    server = ProcessServer(config)
    await server.start()
    try:
        serving = asyncio.create_task(server.serve(load))
        await until(lambda: server.is_loaded, 60)
        yield config.listen
        serving.cancel()
    finally:
        await server.stop()


def ports() -> dict[str, Any]:
    listen, metrics = (f"127.0.0.1:{free_port()}" for _ in range(2))
    return {"listen": listen, "metrics_listen": metrics, "drain_seconds": 0.2}


async def call(address: str) -> str:
    """A short call within a trace of its caller's; gives its id."""
    portrait = (ROOT / "examples" / "astronaut.jpg").read_bytes()
    config = pb.AnimateRequest(config=pb.AnimateConfig(portrait=portrait))
    async with grpc.aio.insecure_channel(address) as channel:
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)
        requests = iter([config, *speech(tone(0.6))])
        rpc = AnimationServiceStub(channel).Animate(requests, metadata=metadata)
        started = (await rpc.read()).started
        while await rpc.read() is not grpc.aio.EOF:
            pass
    return str(started.call_id)


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


@pytest.mark.slow
async def test_one_call_is_one_trace(spans: InMemorySpanExporter, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        addresses = {}
        for name, (module, model) in STAGES.items():
            config = model(**ports())
            addresses[name] = await stack.enter_async_context(
                served(config, module.make_load(config))
            )
        front = GatewayConfig(**ports(), **addresses, avatar_store=tmp_path)
        address = await stack.enter_async_context(served(front, gateway.make_load(front)))
        call_id = await call(address)
    (top,) = named(spans, "ditto.v1.AnimationService/Animate")
    assert top.parent
    assert f"{top.parent.span_id:016x}" == PARENT
    ours = spans.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in ours} == {TRACE}
    assert top.attributes
    assert top.attributes["ditto.call_id"] == call_id
    assert top.attributes["rpc.grpc.status_code"] == 0
    frames = 0
    for module, method in METHODS.items():
        (stage,) = named(spans, method)
        assert stage.parent
        assert stage.parent.span_id == top.context.span_id
        steps = named(spans, f"{module} step")
        assert steps
        for step in steps:
            assert step.parent
            assert step.parent.span_id == stage.context.span_id
            assert step.attributes
            assert step.end_time > step.start_time > 0
            assert step.attributes["ditto.batch_size"] == 1
        frames = len(steps) if module == "renderer" else frames
    assert frames >= 15, "a renderer's step is a frame"
    assert named(spans, "ditto.v1.RendererService/PreparePortrait")[0].parent
    assert not [name for name in Counter(span.name for span in ours) if "Status" in name]


async def test_nothing_is_traced_while_tracing_is_off(tmp_path: Path) -> None:
    assert tracing.tracing_interceptors() == []
    assert tracing.trace_metadata() is None
    server = ProcessServer(process_config())
    assert "_CallSpans" not in repr(server._server.__dict__)
    async with running_cluster(tmp_path) as cluster:
        await cluster.stub.GetServerInfo(pb.GetServerInfoRequest())


def test_a_process_without_tracing_imports_none_of_it() -> None:
    code = "import sys, gateway.service; sys.exit('opentelemetry' in ' '.join(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


async def test_the_traces_of_two_callers_never_mix(
    spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    config = process_config()
    async with (
        served(config, _echo) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        echo = channel.unary_unary("/test.Echo/Say")
        for number in (1, 2):
            metadata = (("traceparent", f"00-{number:032x}-{number:016x}-01"),)
            await echo(b"", metadata=metadata)
        await echo(b"")
    found = [span.context.trace_id for span in named(spans, "test.Echo/Say")]
    assert found[:2] == [1, 2]
    assert found[2] not in (0, 1, 2), "without a caller's trace it is one of its own"


async def _echo() -> Any:
    class Echo(grpc.GenericRpcHandler):  # type: ignore[type-arg]
        def service(self, details: Any) -> Any:
            async def say(request: Any, context: Any) -> bytes:
                return b"heard"

            return grpc.unary_unary_rpc_method_handler(
                say, request_deserializer=bytes, response_serializer=bytes
            )

    class Service:
        service_names = ("test.Echo",)

        def register(self, server: Any) -> None:
            server.add_generic_rpc_handlers([Echo()])

        async def drain(self, deadline_s: float) -> None:
            pass

        async def close(self) -> None:
            pass

    return Service()


def test_a_collector_without_the_packages_is_a_setup_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    config = process_config(otlp_endpoint="http://127.0.0.1:4317")
    with pytest.raises(SetupError, match=r"pip install 'ditto-cluster\[otel\]'"):
        tracing.start_tracing("gateway", config)


def test_a_collector_turns_tracing_on() -> None:
    try:
        tracing.start_tracing("gateway", process_config(otlp_endpoint="http://127.0.0.1:4317"))
        assert len(tracing.tracing_interceptors()) == 1
    finally:
        tracing.use_tracer(None)
