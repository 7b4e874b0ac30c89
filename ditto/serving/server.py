"""The life of a server process: bind, load, warm up, serve, drain, stop.

The ports are bound first and answer from then on: health says NOT_SERVING and every other call
UNAVAILABLE until the process is loaded and warm.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import grpc
from grpc.aio import ServerInterceptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH_SERVICE
from grpc_health.v1.health import aio as async_health  # type: ignore[attr-defined]
from grpc_reflection.v1alpha import reflection

from ditto.errors import SetupError
from ditto.serving import metrics
from ditto.serving.config import MESSAGE_BYTES, Config, ProcessConfig, parse_config
from ditto.serving.credentials import Credentials, server_credentials
from ditto.serving.interceptor import CallInterceptor
from ditto.serving.logging import configure_logging
from ditto.serving.memory import begin_to_count, tidy_up_after
from ditto.serving.metrics_page import PROBE_S, MetricsPage, Probe
from ditto.serving.tracing import start_tracing, tracing_interceptors

log = logging.getLogger(__name__)

LIVENESS = "liveness"
"""Health of this name is SERVING from the start until shutdown: whether the process answers at all,
where the others tell whether it can do its work now."""
MAX_RECEIVE_BYTES = MESSAGE_BYTES
"""Largest request message that a process takes, unless configured otherwise."""
_CERTIFICATE_LOOK_S = 10.0
"""A renewed certificate shows in the metrics after so long at the latest."""
PROBES = {"/live": LIVENESS, "/ready": ""}
"""Health as pages beside the metrics: a kubelet's gRPC probes cannot speak TLS."""

_HealthStatus = health_pb2.HealthCheckResponse


class Service(Protocol):
    """What a process serves, once loaded."""

    @property
    def service_names(self) -> Sequence[str]:
        """Full names of its gRPC services, for health and reflection."""

    def register(self, server: Any) -> None:
        """Add the servicers to what stands for a `grpc.aio.Server`."""

    async def drain(self, deadline_s: float) -> None:
        """Take nothing new; return when the live sessions have ended, by themselves or told to."""

    async def close(self) -> None:
        """Free what was loaded."""


Report = Callable[[bool], Awaitable[None]]
"""Tells health whether a process can do its work now."""


@runtime_checkable
class DependentService(Service, Protocol):
    """A service that can work only while others do."""

    async def follow_health(self, report: Report) -> None:
        """Report now, and at every change, until cancelled."""


Load = Callable[[], Awaitable[Service]]
"""Loads and warms up; whatever blocks belongs in a thread."""
Interceptors = Callable[[Config], Sequence["ServerInterceptor[Any, Any]"]]
"""Makes what stands before the process's own interceptor."""


class _LateHandlers(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Handlers that join a running server: a server takes none itself once it has started.

    Stands in for the server where generated code registers a servicer.
    """

    def __init__(self) -> None:
        self._handlers: list[Any] = []

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        """Take the handlers of one servicer."""
        self._handlers.extend(handlers)

    def add_registered_method_handlers(self, service_name: str, handlers: dict[str, Any]) -> None:
        """The same handlers again, for servers that look them up by name."""

    def service(self, details: Any) -> Any:
        """The handler of a method, or None."""
        return next((found for each in self._handlers if (found := each.service(details))), None)


class ProcessServer:
    """One gRPC server with health, reflection and the metrics page around a `Service`."""

    def __init__(
        self,
        config: ProcessConfig,
        interceptors: Sequence[ServerInterceptor[Any, Any]] = (),
    ) -> None:
        """Raises `SetupError` for certificates that cannot be used, or are missing."""
        self._config = config
        self._credentials = server_credentials(config)
        self._service: Service | None = None
        self._health = async_health.HealthServicer()
        self._calls = CallInterceptor(lambda: self.is_loaded, config.open_calls)
        self._server = grpc.aio.server(
            interceptors=[*tracing_interceptors(), *interceptors, self._calls],
            options=[*_options(config.message_bytes), *config.server_options()],
        )
        self._late = _LateHandlers()
        self._page: MetricsPage | None = None
        self._watching: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None

    @property
    def is_loaded(self) -> bool:
        """True once the service is there, serving or not."""
        return self._service is not None

    async def start(self) -> None:
        """Bind both ports. Raises `SetupError` when one is taken."""
        await self._health.set("", _HealthStatus.NOT_SERVING)
        await self._health.set(LIVENESS, _HealthStatus.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers([self._late])
        try:
            self._listen()
        except RuntimeError:
            raise SetupError(
                f"listen: cannot bind {self._config.listen}; "
                "stop the process that holds it, or choose another port"
            ) from None
        self._page = MetricsPage(self._config.metrics_listen, self._probe())
        await self._server.start()

    async def serve(self, load: Load) -> None:
        """Load, then report SERVING, for a dependent service as long as it says so."""
        service = await load()
        service.register(self._late)
        names = [*service.service_names, HEALTH_SERVICE, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, cast(grpc.aio.Server, self._late))
        self._service = service
        begin_to_count()
        self._tidying = asyncio.create_task(tidy_up_after(self._calls.calls_ended))
        log.info("serving", extra={"fields": {"listen": self._config.listen}})
        if isinstance(service, DependentService):
            await service.follow_health(self._report)
        else:
            await self._report(True)

    def _listen(self) -> None:
        if self._credentials is None:
            self._server.add_insecure_port(self._config.listen)
        else:
            self._server.add_secure_port(self._config.listen, self._credentials.for_server())
            self._watching = asyncio.create_task(_watch(self._credentials))

    def _probe(self) -> Probe:
        """What the page answers to probes, asked of the event loop so that a hang shows."""
        loop = asyncio.get_running_loop()

        async def status(name: str) -> bool:
            request = health_pb2.HealthCheckRequest(service=name)
            found = await self._health.Check(request, None)
            return bool(found.status == _HealthStatus.SERVING)

        def probe(path: str) -> bool | None:
            if path not in PROBES:
                return None
            return asyncio.run_coroutine_threadsafe(status(PROBES[path]), loop).result(PROBE_S)

        return probe

    async def _report(self, is_serving: bool) -> None:
        status = _HealthStatus.SERVING if is_serving else _HealthStatus.NOT_SERVING
        for name in ("", *(self._service.service_names if self._service else ())):
            await self._health.set(name, status)
        metrics.SERVING.set(is_serving)

    async def stop(self) -> None:
        """Report NOT_SERVING, let live sessions end within the drain time, then stop."""
        await self._health.enter_graceful_shutdown()
        metrics.SERVING.set(False)
        if self._service is not None:
            log.info("draining")
            deadline = self._config.drain_seconds
            try:
                await asyncio.wait_for(self._service.drain(deadline), deadline)
            except TimeoutError:
                log.warning("sessions were cut off at the end of the drain time")
        await self._server.stop(0.5)
        if self._service is not None:
            await self._service.close()
        for task in filter(None, (self._watching, self._tidying)):
            task.cancel()
        if self._page is not None:
            await asyncio.to_thread(self._page.close)


def _options(message_bytes: int) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", message_bytes),
        ("grpc.max_send_message_length", MAX_RECEIVE_BYTES),
    )


async def _watch(credentials: Credentials) -> None:
    """Look at the files between handshakes too, for the metrics and the warnings."""
    while True:
        await asyncio.sleep(_CERTIFICATE_LOOK_S)
        credentials.refresh()


def run(
    module: str,
    model: type[Config],
    default_file: Path,
    make_load: Callable[[Config], Load],
    arguments: Sequence[str] | None = None,
    make_interceptors: Interceptors[Config] = lambda _: (),
) -> int:
    """Run a process until SIGTERM or SIGINT; give its exit status.

    ``module`` names it in logs; ``make_load`` gives the loader for a configuration.
    """
    try:
        config = parse_config(model, default_file, arguments)
        configure_logging(config.log_level, module, config.replica)
        start_tracing(module, config)
        server = partial(ProcessServer, config, make_interceptors(config))
        asyncio.run(_run_until_signal(server, make_load(config)))
    except SetupError as error:
        print(f"{module}: {error}", file=sys.stderr)
        return 1
    return 0


async def _run_until_signal(make_server: Callable[[], ProcessServer], load: Load) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    server = make_server()
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await server.start()
        serving = asyncio.ensure_future(server.serve(load))
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
            await stopped
        serving.cancel()
    finally:
        stopped.cancel()
        await server.stop()
    if not server.is_loaded:
        # A thread that still loads cannot be interrupted, and closing the loop would wait for it.
        os._exit(0)
