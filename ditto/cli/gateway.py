"""The gateway that a command talks to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import grpc

from ditto.errors import StageUnavailableError
from ditto.local_cluster.health import is_serving
from ditto.serving.errors import error_from_rpc
from ditto.v1.animation_pb2_grpc import AnimationServiceStub

DEFAULT_SERVER = "127.0.0.1:50051"
_OPTIONS = [("grpc.max_receive_message_length", 64 << 20)]


def reachable(server: str | None) -> str:
    """The address to call, once it serves. Raises `StageUnavailableError` when it does not."""
    address = server or DEFAULT_SERVER
    if not is_serving(address):
        raise StageUnavailableError(f"no gateway serves at {address}")
    return address


@contextmanager
def gateway(server: str) -> Iterator[AnimationServiceStub]:
    """The public service; what it raises comes out as the `DittoError` that it was there."""
    with grpc.insecure_channel(server, _OPTIONS) as channel:
        try:
            yield AnimationServiceStub(channel)  # type: ignore[no-untyped-call]
        except grpc.RpcError as error:  # reads like the asynchronous one
            raise error_from_rpc(cast(grpc.aio.AioRpcError, error), server) from error
