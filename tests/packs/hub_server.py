"""A model hub on loopback: tree listing in pages, files by redirect, cuts, lies and old servers."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE_ENTRIES = 3


class HubServer:
    """Serves one repository as the public hub does and records what was asked."""

    def __init__(self, repository: str, files: dict[str, bytes], large: set[str]) -> None:
        self.repository = repository
        self.files = files
        """What the listing speaks of."""
        self.large = large
        self.sent = dict(files)
        """What downloads give."""
        self.downloads: list[tuple[str, str | None]] = []
        """Path and Range header of each download, in order."""
        self.cut_after_bytes: list[int] = []
        self.honours_ranges = True
        self.extra_entries: list[dict[str, object]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def entries(self) -> list[dict[str, object]]:
        folders = sorted({path.rpartition("/")[0] for path in self.files})
        entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": f} for f in folders]
        return [*entries, *map(self._entry, self.files), *self.extra_entries]

    def _entry(self, path: str) -> dict[str, object]:
        content = self.files[path]
        if path in self.large:
            content_id = hashlib.sha256(content).hexdigest()
            lfs = {"oid": content_id, "size": len(content), "pointerSize": 134}
            oid = hashlib.sha1(content_id.encode()).hexdigest()
            return {"type": "file", "oid": oid, "size": len(content), "lfs": lfs, "path": path}
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return {"type": "file", "oid": oid, "size": len(content), "path": path}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                base = f"/{hub.repository}/resolve/main/"
                if path == f"/api/models/{hub.repository}/tree/main":
                    self._tree(urllib.parse.parse_qs(query))
                elif path.startswith(base) and path.removeprefix(base) in hub.sent:
                    self.send_response(302)
                    self.send_header("Location", f"/store/{path.removeprefix(base)}")
                    self.end_headers()
                elif path.startswith("/store/"):
                    self._file(path.removeprefix("/store/"))
                else:
                    self.send_error(404)

            def _tree(self, query: dict[str, list[str]]) -> None:
                assert query["recursive"] == ["1"]
                start = int(query.get("cursor", ["0"])[0])
                entries = hub.entries()
                self.send_response(200)
                if start + PAGE_ENTRIES < len(entries):
                    path = self.path.partition("?")[0]
                    query_text = f"recursive=1&cursor={start + PAGE_ENTRIES}"
                    self.send_header("Link", f'<{hub.url}{path}?{query_text}>; rel="next"')
                self.end_headers()
                self.wfile.write(json.dumps(entries[start : start + PAGE_ENTRIES]).encode())

            def _file(self, path: str) -> None:
                wanted = self.headers["Range"]
                hub.downloads.append((path, wanted))
                asked = re.fullmatch(r"bytes=(\d+)-", wanted or "")
                start = int(asked.group(1)) if asked and hub.honours_ranges else 0
                body = hub.sent[path][start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if hub.cut_after_bytes:
                    body = body[: hub.cut_after_bytes.pop(0)]
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
