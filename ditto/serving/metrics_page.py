"""What Prometheus scrapes and a kubelet probes: /metrics, /live and /ready, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from ditto.errors import SetupError

MAX_CONNECTIONS = 64
PROBE_S = 2.0
"""A process that does not say for so long how it is, is not well."""
Probe = Callable[[str], bool | None]
"""Whether the probe of a path succeeds; None for a path that is none. May raise `TimeoutError`."""


class _Page(BaseHTTPRequestHandler):
    timeout = 10
    probe: Probe

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path != "/metrics":
            self._answer_probe(path)
            return
        body = generate_latest(REGISTRY)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_probe(self, path: str) -> None:
        try:
            is_well = type(self).probe(path)
        except TimeoutError:
            is_well = False
        if is_well is None:
            self.send_error(404, "only /metrics, /live and /ready are here")
            return
        self.send_response(200 if is_well else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Scrapes are too many to log."""


class _Server(ThreadingHTTPServer):
    """A thread a connection, so many at most: further ones are closed at once."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], page: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, page)
        self._places = BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class MetricsPage:
    """Serves the metrics of this process in threads of its own until `close`."""

    def __init__(self, address: str, probe: Probe = lambda _: None) -> None:
        """Bind ``address`` (host:port). Raises `SetupError` when it is taken."""
        host, _, port = address.rpartition(":")
        page = type("Page", (_Page,), {"probe": staticmethod(probe)})
        try:
            self._server = _Server((host.strip("[]"), int(port)), page)
        except OSError as error:
            raise SetupError(
                f"metrics_listen: cannot bind {address} ({error.strerror}); "
                "stop the process that holds it, or choose another port"
            ) from None
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
