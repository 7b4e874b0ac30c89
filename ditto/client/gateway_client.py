"""What the blocking client and the one of asyncio share: their gateways, and how calls begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ditto.client.channel import Access
from ditto.client.servers import Patience, Servers, patience_with
from ditto.client.settings import AnimateOptions, Portrait, call_config
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2_grpc import AnimationServiceStub


class GatewayClient:
    """A connection to one gateway or several."""

    _open_channel: ClassVar[staticmethod[[str, Access | None], Any]]

    def __init__(
        self,
        target: str | Sequence[str],
        access: Access | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`target` is host:port, or several: "a:50051,b:50051"; `access` by default what the
        environment says.

        With several, calls outlive their gateway: `patience` says how. With one they do so where
        `patience` is given, should it come back in time.
        """
        self._servers: Servers[_Server] = Servers(
            target, lambda name: _Server(self._open_channel(name, access))
        )
        self._patience = patience_with(patience, self._servers.count)

    def _config(
        self, portrait: Portrait, audio_format: types.AudioFormat, options: AnimateOptions
    ) -> pb.AnimateConfig:
        """The first message of a call."""
        config = call_config(portrait, audio_format, options)
        if self._patience is not None:
            config.resume_interval_ms = self._patience.point_interval_ms
        return config


class _Server:
    """The connection to one gateway."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self.stub = AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
