"""One call of the asyncio client, at one gateway after another where it must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from grpc.aio import AioRpcError

from ditto.client.call_memory import CallMemory
from ditto.client.responses import Chunk, Event, EventKind, Frame, Item, item_of
from ditto.client.servers import GONE, Patience, Servers, Tries
from ditto.client.settings import motion_control
from ditto.client.speech import pieces
from ditto.client.sync_call import resumed
from ditto.errors import DittoError, StageUnavailableError
from ditto.serving.call_writes import write_message
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb

_EOF = grpc.aio.EOF  # type: ignore[attr-defined]
_MOST = 16
"""Requests that may wait; whoever adds more waits for the server."""


class AsyncCall:
    """One talking head: iterate over it with ``async for``. See `ditto.client.Call`."""

    started: pb.Started
    """The settings in effect."""

    def __init__(
        self, servers: Servers[Any], config: pb.AnimateConfig, patience: Patience | None
    ) -> None:
        """Use `AsyncClient.animate`."""
        self.stats: pb.CallStats | None = None
        """The measured numbers, once everything has been read."""
        self._servers = servers
        self._patience = patience
        self._memory = CallMemory(config, is_kept=patience is not None)
        self._changed = asyncio.Event()
        self._line: _Line | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._speech_error: Exception | None = None
        self._is_cancelled = False
        self._moved = ""

    async def open(self, speech: Iterable[bytes] | AsyncIterable[bytes] | None) -> None:
        """Send the settings, wait for `started`, begin to speak."""
        self.started = (await self._open(self._servers.in_order(), give_up_s=0.0)).started
        if speech is not None:
            self._speaking = asyncio.create_task(self._say_all(speech))

    async def speak(self, pcm: bytes) -> None:
        """Send more speech, in the call's format; waits while the server is behind."""
        for piece in pieces(pcm):
            await self._send(pb.AnimateRequest(audio=piece))

    async def control(self, **fields: Any) -> None:
        """Change how the face moves: fields of `MotionControl`, such as mouth_gain."""
        await self._send(pb.AnimateRequest(control=motion_control(fields)))

    async def interrupt(self, last_played_frame: int | None = None) -> None:
        """Stop what is being said, after the frame that the viewer saw last."""
        request = pb.Interrupt(last_played_frame_index=last_played_frame)
        await self._send(pb.AnimateRequest(interrupt=request))

    async def end(self) -> None:
        """No more speech: the call ends after its last frame."""
        self._memory.is_ended = True
        self._notify()

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
            silent_s = self._memory.silent_s
            if not self._memory.is_new(response):
                continue
            if response.HasField("stats"):
                self.stats = response.stats
            elif item := item_of(response):
                if self._moved and isinstance(item, Frame | Chunk):
                    yield resumed(item, self._moved, silent_s)
                    self._moved = ""
                yield item
                if isinstance(item, Event) and item.kind is EventKind.DRAINING:
                    await self._leave()

    async def __aenter__(self) -> AsyncCall:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    async def _next(self) -> pb.AnimateResponse | None:
        while True:
            assert self._line is not None
            try:
                response = await self._line.read()
                if response is None and self.stats is None and self._memory.can_resume:
                    raise StageUnavailableError("the server: ended the call early")
                return response
            except asyncio.CancelledError:
                if self._speech_error:
                    raise self._speech_error from None
                raise
            except DittoError as error:
                if self._speech_error or not self._may_move(error):
                    raise self._speech_error or error from None
                await self._move(self._line, error)

    def _may_move(self, error: DittoError) -> bool:
        is_gone = isinstance(error, StageUnavailableError)
        return is_gone and self._memory.can_resume and not self._is_cancelled

    async def _move(self, lost: _Line, error: DittoError) -> None:
        """Go on at the next server that takes the call."""
        assert self._patience is not None
        lost.cancel()
        addresses = self._servers.in_order(lost.address)
        line = await self._open(addresses, self._patience.give_up_seconds)
        self._moved = f"at {line.address} after {lost.address} ({error})"

    async def _leave(self) -> None:
        """Go on elsewhere, if anybody takes the call at once; this server will stop."""
        if self._servers.count == 1 or not self._memory.can_resume:
            return
        assert self._line is not None
        leaving = self._line
        try:
            line = await self._open(self._servers.in_order(leaving.address)[:-1], give_up_s=0.0)
        except GONE:
            return
        leaving.cancel()
        self._moved = f"at {line.address} after {leaving.address} (it is draining)"

    async def _open(self, addresses: list[str], give_up_s: float) -> _Line:
        """Begin, or go on, at the first server that takes the call."""
        tries = Tries(addresses, give_up_s)
        for address, wait_s in tries:
            await asyncio.sleep(wait_s)
            line = _Line(address, self._servers.at(address).stub, self, self._patience)
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
            self._notify()
            return line
        raise AssertionError("tries end with an error")

    async def _send(self, request: pb.AnimateRequest) -> None:
        while self._line is not None and self._line.is_behind(self._memory.end):
            await self._changed.wait()
        if not self._memory.is_ended:
            self._memory.add(request)
            self._notify()

    async def _pump(self, line: _Line, since: int) -> None:
        """Send to a server what the call has for it."""
        while True:
            if found := self._memory.request(line.number, since):
                if not await line.send(found[1]):
                    break
                line.number = found[0] + 1
                if line is self._line:
                    self._memory.passed(line.number)
                self._notify()
            elif self._memory.is_ended:
                return await line.finish()
            else:
                await self._changed.wait()
        line.is_over = True
        self._notify()
        return None

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

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


class _Line:
    """The call at one server."""

    def __init__(self, address: str, stub: Any, call: AsyncCall, patience: Patience | None) -> None:
        self.address = address
        self.started = pb.Started()
        """What it answered first."""
        self.number = 0
        """The next request."""
        self.is_over = False
        """This server takes nothing any more."""
        self._patience = patience
        self._stall_s = patience.start_seconds if patience else None
        self._rpc = stub.Animate()
        self._call = call
        self._pumping: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Wait until the server has taken the call."""
        opening, since = self._call._memory.opening(), self._call._memory.end
        await self.send(opening)
        self._pumping = asyncio.create_task(self._call._pump(self, since))
        response = await self.read()
        if response is None:
            raise StageUnavailableError("the server: ended the call early")
        self.started = response.started
        if self._patience is not None:
            self._stall_s = self._patience.stall_seconds

    async def send(self, request: pb.AnimateRequest) -> bool:
        """Send a request; False when the call has ended there."""
        return await write_message(self._rpc, request)

    async def finish(self) -> None:
        """There are no more requests."""
        await self._rpc.done_writing()

    async def read(self) -> pb.AnimateResponse | None:
        """The next response; None at the end."""
        try:
            async with asyncio.timeout(self._stall_s):
                response = await self._rpc.read()
        except AioRpcError as error:
            self.is_over = True
            raise error_from_rpc(error, "the server") from None
        except TimeoutError:
            text = f"the server: said nothing for {self._stall_s:g} s"
            raise StageUnavailableError(text) from None
        return None if response is _EOF else response

    def is_behind(self, end: int) -> bool:
        """The server has not taken what was added a while ago."""
        return not self.is_over and not self._rpc.done() and end - self.number >= _MOST

    def cancel(self) -> None:
        """Give this server up."""
        self.is_over = True
        if self._pumping is not None:
            self._pumping.cancel()
        self._rpc.cancel()
        self._call._notify()


async def _as_async(speech: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Pieces of any source; one that makes its caller wait does so in a thread."""
    if isinstance(speech, AsyncIterable):
        async for piece in speech:
            yield piece
        return
    source = iter(speech)
    while (piece := await asyncio.to_thread(next, source, b"")) != b"":
        yield piece
