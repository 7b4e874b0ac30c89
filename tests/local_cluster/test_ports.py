"""Choosing and checking ports."""

from __future__ import annotations

import socket

import pytest

from ditto.errors import SetupError
from ditto.local_cluster.ports import free_port, is_free, require_free


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    require_free(port, "--port")
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)


def test_a_taken_port_names_the_option_and_the_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SetupError, match=rf"port {port} is in use.*--metrics-base-port"):
            require_free(port, "--metrics-base-port")
