"""What a process allows its callers on the wire, before any message of a call is looked at."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

Option = tuple[str, int]

_PING_INTERVAL_MS = 10_000
"""A caller may send keepalive pings this often."""


class TransportLimits(BaseModel):
    """Bounds on connections, and how soon one whose other end is gone is given up."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    connections: int = Field(default=1024, ge=1)
    """Most connections at once; further ones are closed at once."""
    connection_calls: int = Field(default=256, ge=1)
    """Most calls at once on one connection; further ones wait at the caller."""
    open_calls: int = Field(default=512, ge=1)
    """Most calls at once; further ones are refused with RESOURCE_EXHAUSTED and retry-after-ms."""
    connect_seconds: float = Field(default=10.0, gt=0)
    """A connection that has not said by then that it speaks HTTP/2 is closed."""
    keepalive_seconds: float = Field(default=20.0, ge=1)
    """A connection that is quiet for so long is asked whether it lives."""
    keepalive_timeout_seconds: float = Field(default=10.0, ge=1)
    """One that does not answer within this is closed, and its calls end."""
    connection_idle_seconds: float = Field(default=300.0, ge=1)
    """A connection without calls is closed after so long; clients connect again by themselves."""

    def server_options(self) -> tuple[Option, ...]:
        """The same as options of a gRPC server, those on the size of messages left out."""
        timeout_ms = _ms(self.keepalive_timeout_seconds)
        return (
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", self.connection_calls),
            ("grpc.server_handshake_timeout_ms", _ms(self.connect_seconds)),
            ("grpc.http2.settings_timeout", _ms(self.connect_seconds)),
            ("grpc.keepalive_time_ms", _ms(self.keepalive_seconds)),
            ("grpc.keepalive_timeout_ms", timeout_ms),
            ("grpc.http2.ping_timeout_ms", timeout_ms),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _PING_INTERVAL_MS),
            ("grpc.max_connection_idle_ms", _ms(self.connection_idle_seconds)),
        )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
