"""The gateway that a command talks to."""

from __future__ import annotations

from ditto.client import Client
from ditto.errors import StageUnavailableError
from ditto.local_cluster.health import is_serving

DEFAULT_SERVER = "127.0.0.1:50051"


def connect(server: str | None) -> Client:
    """A client of the gateway, once it serves. Raises `StageUnavailableError` when it does not."""
    address = server or DEFAULT_SERVER
    if not is_serving(address):
        raise StageUnavailableError(f"no gateway serves at {address}")
    return Client(address)
