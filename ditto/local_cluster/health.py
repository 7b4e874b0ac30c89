"""Asks a gRPC process whether it serves, as any load balancer would."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ditto.client.channel import Access, open_channel

_TIMEOUT_S = 2.0
_PLAIN = Access()


def is_serving(address: str, service: str = "", access: Access = _PLAIN) -> bool:
    """True when the process at `address` reports SERVING for `service` ("": the whole process)."""
    with open_channel(address, access) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_TIMEOUT_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
