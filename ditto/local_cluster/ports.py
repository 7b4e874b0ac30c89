"""Loopback ports for processes that are about to start."""

from __future__ import annotations

import socket

from ditto.errors import SetupError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now; another process may take it before it is used."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """True when `port` can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free(port: int, option: str) -> None:
    """Raise `SetupError` naming `option` when the port it chose is taken or not allowed."""
    if not is_free(port):
        raise SetupError(
            f"port {port} is in use or not allowed: stop the program that holds it "
            f"(`ss -ltnp 'sport = :{port}'` names it), or choose another with {option}"
        )


def port_of(address: str) -> int:
    """The port of host:port."""
    return int(address.rpartition(":")[2])
