"""A wire between a client and a server that can be cut, or fall silent."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PIECE_BYTES = 1 << 16
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


class Relay:
    """Passes bytes on, until told otherwise."""

    def __init__(self, server: str) -> None:
        self._host, _, port = server.rpartition(":")
        self._port = int(port)
        self._writers: list[asyncio.StreamWriter] = []
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    def freeze(self) -> None:
        """Pass nothing on any more and say nothing of it, as a machine that lost its power."""
        self._may_pass.clear()

    def reset(self) -> None:
        """Cut every connection with a TCP reset."""
        for writer in self._writers:
            if writer.is_closing():
                continue
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
            writer.transport.abort()

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client has connected."""
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._writers += [writer, far_writer]
        await asyncio.gather(
            self._pass_on(reader, far_writer),
            self._pass_on(far_reader, writer),
            return_exceptions=True,
        )

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE_BYTES):
            await self._may_pass.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relay(server: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay before a server, and its own address."""
    made = Relay(server)
    listening = await asyncio.start_server(made.join, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield made, f"127.0.0.1:{port}"
    finally:
        listening.close()
        made.reset()
