"""The page that Prometheus scrapes: GET /metrics, and nothing else."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from ditto.errors import SetupError


class _Page(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404, "only /metrics is here")
            return
        body = generate_latest(REGISTRY)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Scrapes are too many to log."""


class MetricsPage:
    """Serves the metrics of this process in threads of its own until `close`."""

    def __init__(self, address: str) -> None:
        """Bind ``address`` (host:port). Raises `SetupError` when it is taken."""
        host, _, port = address.rpartition(":")
        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), _Page)
        except OSError as error:
            raise SetupError(
                f"metrics_listen: cannot bind {address} ({error.strerror}); "
                "stop the process that holds it, or choose another port"
            ) from None
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
