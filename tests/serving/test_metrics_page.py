"""Whoever does not finish asking holds a place, of which there are only so many."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request

import pytest

from ditto.local_cluster.ports import free_port
from ditto.serving import metrics_page
from ditto.serving.metrics_page import MetricsPage


def test_connections_that_never_ask_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_page, "MAX_CONNECTIONS", 5)
    port = free_port()
    page = MetricsPage(f"127.0.0.1:{port}")
    try:
        before = threading.active_count()
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for connection in held:
            connection.sendall(b"GET /met")
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            _answer(port)
        assert threading.active_count() <= before + 5
        for connection in held:
            connection.close()
        assert _answer_soon(port) == 200
    finally:
        page.close()


def _answer(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return int(answer.status)


def _answer_soon(port: int) -> int:
    """The places are given back by threads of their own."""
    for _ in range(200):
        try:
            return _answer(port)
        except (urllib.error.URLError, ConnectionError):
            threading.Event().wait(0.02)
    return 0
