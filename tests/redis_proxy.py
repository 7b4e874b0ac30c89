"""A TCP port before a Redis on a Unix socket, which can make it slow."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path


class RedisProxy:
    """Passes on what is said, each answer `delay_s` late; refuses while Redis is gone."""

    def __init__(self, redis_socket: Path) -> None:
        self.delay_s = 0.0
        self._target = str(redis_socket)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target)
            except OSError:
                caller.close()
                continue
            for source, sink, is_answer in ((caller, server, False), (server, caller, True)):
                passing = (source, sink, is_answer)
                threading.Thread(target=self._pass, args=passing, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if is_answer and self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            each.close()
