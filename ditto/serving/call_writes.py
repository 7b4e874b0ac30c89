"""Writing to a streaming call of grpc.aio without losing the peer's error."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.message import Message


async def write_message(call: Any, message: Message) -> bool:
    """Send a message on a client's stream; False when the call has ended, whose status says why.

    `call.write` (grpcio 1.85) puts INTERNAL in place of that status when the peer ends the call
    while a write is under way, so that the caller never learns what was wrong.
    """
    await call._metadata_sent.wait()
    if call.done():
        return False
    try:
        await call._cython_call.send_serialized_message(message.SerializeToString())
    except grpc.aio.InternalError:
        return False
    return True
