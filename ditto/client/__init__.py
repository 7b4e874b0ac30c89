"""Python client of a ditto cluster.

    from ditto.client import Client

    with Client("localhost:50051") as client:
        call = client.animate("portrait.jpg", "speech.wav", video="mp4")
        call.save("talking.mp4")
        print(f"first frame after {call.stats.ffd_ms:.0f} ms")

A gateway with TLS and tokens wants `Access`: ``Client("ditto.example.com:443", Access(token=...,
tls=True))``, or its fields as DITTO_CLIENT_... variables.

``Client("a:50051,b:50051")`` knows several gateways: a call that loses its own goes on at another
one, with every frame once and in order, and an event of kind RESUMED.

`Client` blocks, `AsyncClient` is for asyncio; both give the same items and raise the errors of
`ditto.errors` that the server raised.
"""

from ditto.client.async_call import AsyncCall
from ditto.client.async_client import AsyncClient
from ditto.client.channel import Access
from ditto.client.responses import Chunk, Event, EventKind, Frame, Item
from ditto.client.servers import Patience
from ditto.client.settings import AnimateOptions
from ditto.client.speech import in_real_time
from ditto.client.sync_call import Call
from ditto.client.sync_client import Client
from ditto.v1.animation_pb2 import Avatar, CallStats, GetServerInfoResponse, Started

__all__ = [
    "Access",
    "AnimateOptions",
    "AsyncCall",
    "AsyncClient",
    "Avatar",
    "Call",
    "CallStats",
    "Chunk",
    "Client",
    "Event",
    "EventKind",
    "Frame",
    "GetServerInfoResponse",
    "Item",
    "Patience",
    "Started",
    "in_real_time",
]
