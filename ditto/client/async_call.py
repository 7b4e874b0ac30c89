"""One call of the asyncio client, at one gateway after another where it must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ditto.client.async_outgoing import AsyncLine, AsyncOutgoing
from ditto.client.moving_call import MovingCall, is_draining
from ditto.client.responses import Chunk, Item
from ditto.client.servers import GONE, Patience, Servers, Tries
from ditto.client.settings import motion_control
from ditto.client.speech import pieces
from ditto.errors import DittoError
from ditto.v1 import animation_pb2 as pb


class AsyncCall(MovingCall):
    """One talking head: iterate over it with ``async for``. See `ditto.client.Call`."""

    def __init__(
        self, servers: Servers[Any], config: pb.AnimateConfig, patience: Patience | None
    ) -> None:
        """Use `AsyncClient.animate`."""
        super().__init__(servers, config, patience)
        self._outgoing = AsyncOutgoing(self._memory)
        self._line: AsyncLine | None = None
        self._speaking: asyncio.Task[None] | None = None

    async def open(self, speech: Iterable[bytes] | AsyncIterable[bytes] | None) -> None:
        """Send the settings, wait for `started`, begin to speak."""
        self.started = (await self._open(self._servers.in_order(), give_up_s=0.0)).started
        if speech is not None:
            self._speaking = asyncio.create_task(self._say_all(speech))

    async def speak(self, pcm: bytes) -> None:
        """Send more speech, in the call's format; waits while the server is behind."""
        for piece in pieces(pcm):
            await self._outgoing.put(pb.AnimateRequest(audio=piece))

    async def control(self, **fields: Any) -> None:
        """Change how the face moves: fields of `MotionControl`, such as mouth_gain."""
        await self._outgoing.put(pb.AnimateRequest(control=motion_control(fields)))

    async def interrupt(self, last_played_frame: int | None = None) -> None:
        """Stop what is being said, after the frame that the viewer saw last."""
        request = pb.Interrupt(last_played_frame_index=last_played_frame)
        await self._outgoing.put(pb.AnimateRequest(interrupt=request))

    async def end(self) -> None:
        """No more speech: the call ends after its last frame."""
        self._outgoing.end()

    def cancel(self) -> None:
        """Give the call up."""
        self._is_cancelled = True
        if self._speaking:
            self._speaking.cancel()
        if self._line is not None:
            self._line.cancel()

    async def save(self, path: str | Path) -> None:
        """Read the call to its end and write its MP4 (``video="mp4"``)."""
        with await asyncio.to_thread(Path(path).open, "wb") as file:
            async for item in self:
                if isinstance(item, Chunk):
                    file.write(item.data)

    async def __aiter__(self) -> AsyncIterator[Item]:
        while (response := await self._next()) is not None:
            for item in self._items(response):
                yield item
                if is_draining(item):
                    await self._leave()

    async def __aenter__(self) -> AsyncCall:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    async def _next(self) -> pb.AnimateResponse | None:
        while True:
            assert self._line is not None
            try:
                response = await self._line.read()
                self._assert_whole(response)
                return response
            except asyncio.CancelledError:
                if self._speech_error:
                    raise self._speech_error from None
                raise
            except DittoError as error:
                if self._speech_error or not self._may_move(error):
                    raise self._speech_error or error from None
                await self._move(self._line, error)

    async def _move(self, lost: AsyncLine, error: DittoError) -> None:
        """Go on at the next server that takes the call."""
        assert self._patience is not None
        lost.cancel()
        addresses = self._servers.in_order(lost.address)
        line = await self._open(addresses, self._patience.give_up_seconds)
        self._moved = f"at {line.address} after {lost.address} ({error})"

    async def _leave(self) -> None:
        """Go on elsewhere, if anybody takes the call at once; this server will stop."""
        leaving = self._line
        if leaving is None or not self._may_leave:
            return
        with suppress(*GONE):
            line = await self._open(self._servers.in_order(leaving.address)[:-1], give_up_s=0.0)
            leaving.cancel()
            self._moved = f"at {line.address} after {leaving.address} (it is draining)"

    async def _open(self, addresses: list[str], give_up_s: float) -> AsyncLine:
        """Begin, or go on, at the first server that takes the call."""
        tries = Tries(addresses, give_up_s)
        for address, wait_s in tries:
            await asyncio.sleep(wait_s)
            stub = self._servers.at(address).stub
            line = AsyncLine(address, stub, self._outgoing, self._patience)
            try:
                await line.begin()
            except GONE as error:
                line.cancel()
                if self._is_cancelled:
                    raise
                tries.failed(error)
                continue
            except BaseException:
                line.cancel()
                raise
            self._line = line
            self._memory.started(line.started)
            self._servers.works(address)
            self._outgoing.follow(line)
            return line
        raise AssertionError("tries end with an error")

    async def _say_all(self, speech: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        try:
            async for piece in _as_async(speech):
                await self.speak(piece)
                if self._line is not None and self._line.is_over and not self._memory.can_resume:
                    return
            await self.end()
        except Exception as error:
            self._speech_error = error
            if self._line is not None:
                self._line.cancel()


async def _as_async(speech: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Pieces of any source; one that makes its caller wait does so in a thread."""
    if isinstance(speech, AsyncIterable):
        async for piece in speech:
            yield piece
        return
    source = iter(speech)
    while (piece := await asyncio.to_thread(next, source, b"")) != b"":
        yield piece
