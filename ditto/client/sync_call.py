"""One call of the blocking client, at one gateway after another where it must be."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any, cast

import grpc

from ditto.client.moving_call import MovingCall, is_draining, started_of
from ditto.client.outgoing import Outgoing, Requests
from ditto.client.responses import Chunk, Item
from ditto.client.servers import GONE, Patience, Servers, Tries
from ditto.client.settings import motion_control
from ditto.client.speech import pieces
from ditto.errors import DittoError, StageUnavailableError
from ditto.serving.errors import error_from_rpc
from ditto.v1 import animation_pb2 as pb

_LOOK_S = 0.1


class Call(MovingCall):
    """One talking head: iterate over it for frames (or MP4 chunks) and events.

    Raises the error that the server raised, from the constructor up to the end of the iteration.
    Leaving the call before its end: `cancel`, or use it in a ``with`` block. With several servers
    it goes on at another one when its own is lost or drains: no frame is lost or given twice, and
    an `EventKind.RESUMED` tells how long nothing came.
    """

    def __init__(
        self,
        servers: Servers[Any],
        config: pb.AnimateConfig,
        speech: Iterable[bytes] | None,
        patience: Patience | None,
    ) -> None:
        """`patience` None: the call ends with its server."""
        super().__init__(servers, config, patience)
        self._outgoing = Outgoing(self._memory)
        self._line: _Line | None = None
        if speech is not None:
            Thread(target=self._say_all, args=(speech,), daemon=True).start()
        try:
            self.started = self._open(servers.in_order(), give_up_s=0.0).started
        except BaseException as error:
            self._outgoing.close()
            raise self._speech_error or error from None

    def speak(self, pcm: bytes) -> None:
        """Send more speech, in the call's format; waits while the server is behind."""
        for piece in pieces(pcm):
            self._outgoing.put(pb.AnimateRequest(audio=piece))

    def control(self, **fields: Any) -> None:
        """Change how the face moves: fields of `MotionControl`, such as mouth_gain."""
        self._outgoing.put(pb.AnimateRequest(control=motion_control(fields)))

    def interrupt(self, last_played_frame: int | None = None) -> None:
        """Stop what is being said, after the frame that the viewer saw last."""
        request = pb.Interrupt(last_played_frame_index=last_played_frame)
        self._outgoing.put(pb.AnimateRequest(interrupt=request))

    def end(self) -> None:
        """No more speech: the call ends after its last frame."""
        self._outgoing.end()

    def cancel(self) -> None:
        """Give the call up."""
        self._is_cancelled = True
        if self._line is not None:
            self._line.cancel()
        self._outgoing.close()

    def save(self, path: str | Path) -> None:
        """Read the call to its end and write its MP4 (``video="mp4"``)."""
        with Path(path).open("wb") as file:
            for item in self:
                if isinstance(item, Chunk):
                    file.write(item.data)

    def __iter__(self) -> Iterator[Item]:
        while (response := self._next()) is not None:
            for item in self._items(response):
                yield item
                if is_draining(item):
                    self._leave()

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def _next(self) -> pb.AnimateResponse | None:
        while True:
            assert self._line is not None
            try:
                response = self._line.read()
                self._assert_whole(response)
                if response is None:
                    self._outgoing.close()
                return response
            except DittoError as error:
                if self._speech_error or not self._may_move(error):
                    self._outgoing.close()
                    raise self._speech_error or error from None
                self._move(self._line, error)

    def _move(self, lost: _Line, error: DittoError) -> None:
        """Go on at the next server that takes the call."""
        assert self._patience is not None
        lost.cancel()
        line = self._open(self._servers.in_order(lost.address), self._patience.give_up_seconds)
        self._moved = f"at {line.address} after {lost.address} ({error})"

    def _leave(self) -> None:
        """Go on elsewhere, if anybody takes the call at once; this server will stop."""
        leaving = self._line
        if leaving is None or not self._may_leave:
            return
        with suppress(*GONE):
            line = self._open(self._servers.in_order(leaving.address)[:-1], give_up_s=0.0)
            leaving.cancel()
            self._moved = f"at {line.address} after {leaving.address} (it is draining)"

    def _open(self, addresses: list[str], give_up_s: float) -> _Line:
        """Begin, or go on, at the first server that takes the call."""
        tries = Tries(addresses, give_up_s)
        for address, wait_s in tries:
            time.sleep(wait_s)
            stub = self._servers.at(address).stub
            line = _Line(address, stub, self._outgoing.requests(), self._patience)
            try:
                line.begin()
            except GONE as error:
                line.cancel()
                if self._is_cancelled:
                    raise
                tries.failed(error)
                continue
            self._line = line
            self._outgoing.follow(line.requests)
            self._memory.started(line.started)
            self._servers.works(address)
            return line
        raise AssertionError("tries end with an error")

    def _say_all(self, speech: Iterable[bytes]) -> None:
        try:
            for piece in speech:
                self.speak(piece)
                if self._outgoing.is_closed:
                    return
            self.end()
        except Exception as error:
            self._speech_error = error
            self.cancel()


class _Line:
    """The call at one server."""

    def __init__(
        self, address: str, stub: Any, requests: Requests, patience: Patience | None
    ) -> None:
        self.address = address
        self.requests = requests
        self.started = pb.Started()
        """What it answered first."""
        self._patience = patience
        self._stall_s = patience.start_seconds if patience else 0.0
        self._asked_at_s: float | None = None
        self._is_stalled = False
        self._has_ended = Flag()
        self._rpc = stub.Animate(requests)
        if not self._rpc.add_callback(self._end):
            self._end()
        if patience is not None:
            Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """Wait until the server has taken the call."""
        self.started = started_of(self.read())
        if self._patience is not None:
            self._stall_s = self._patience.stall_seconds

    def read(self) -> pb.AnimateResponse | None:
        """The next response; None at the end."""
        self._asked_at_s = time.monotonic()
        try:
            response: pb.AnimateResponse | None = next(self._rpc, None)
        except grpc.RpcError as error:  # reads like the asynchronous one
            if self._is_stalled:
                text = f"the server: said nothing for {self._stall_s:g} s"
                raise StageUnavailableError(text) from None
            raise error_from_rpc(cast(grpc.aio.AioRpcError, error), "the server") from None
        finally:
            self._asked_at_s = None
        return response

    def cancel(self) -> None:
        """Give this server up."""
        self._rpc.cancel()

    def _end(self) -> None:
        self.requests.close()
        self._has_ended.set()

    def _watch(self) -> None:
        while not self._has_ended.wait(_LOOK_S):
            asked_at_s = self._asked_at_s
            if asked_at_s is not None and time.monotonic() - asked_at_s > self._stall_s:
                self._is_stalled = True
                self._rpc.cancel()
