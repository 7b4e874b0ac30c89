"""A package index on loopback that can cut connections, ignore ranges and serve the wrong bytes."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class IndexServer:
    """Serves one wheel at /simple/<package>/ and records every request for the file."""

    def __init__(self, file: str, content: bytes) -> None:
        self.content = content
        self.file = file
        self.ranges: list[str | None] = []
        """The Range header of each download, in order."""
        self.authorizations: set[str | None] = set()
        self.cut_after_bytes: list[int] = []
        """For each of the next downloads, how much of it is sent before the connection ends."""
        self.honours_ranges = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.authorizations.add(self.headers["Authorization"])
                if self.path.startswith("/simple/"):
                    self._page()
                elif self.path == f"/files/{index.file}":
                    self._file()
                else:
                    self.send_error(404)

            def _page(self) -> None:
                page = (
                    '<a href="../../files/older-1.0-py3-none-any.whl">older</a>\n'
                    f'<a href="../../files/{index.file}#sha256=0" data-x="&gt;1">{index.file}</a>'
                )
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page.encode())

            def _file(self) -> None:
                wanted = self.headers["Range"]
                index.ranges.append(wanted)
                asked = re.fullmatch(r"bytes=(\d+)-", wanted or "")
                start = int(asked.group(1)) if asked and index.honours_ranges else 0
                body = index.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if index.cut_after_bytes:
                    body = body[: index.cut_after_bytes.pop(0)]
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
