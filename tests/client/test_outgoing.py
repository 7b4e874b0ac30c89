"""Requests on their way from any thread."""

from __future__ import annotations

import threading

from ditto.client.call_memory import CallMemory
from ditto.client.outgoing import Outgoing
from ditto.v1 import animation_pb2 as pb


def test_outgoing_requests_wait_for_room_and_let_go_when_closed() -> None:
    outgoing = Outgoing(CallMemory(pb.AnimateConfig(), is_kept=False))
    requests = outgoing.requests()
    outgoing.follow(requests)

    def write() -> None:
        for _ in range(100):
            outgoing.put(pb.AnimateRequest(audio=b"12"))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for _ in range(50):
        next(requests)
    writer.join(0.1)
    assert writer.is_alive()
    outgoing.close()
    writer.join(5)
    assert not writer.is_alive()
    assert list(requests) == []
