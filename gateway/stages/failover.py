"""One stage of one call, whichever replica serves it: a lost replica is replaced, nothing is lost.

What goes to the stage is kept until one of its checkpoints covers it, and the frames that come back
are counted. When the replica is lost, a session on another one begins with the last checkpoint and
is sent the kept requests again; frames that had come before are cut from its replies. Who writes to
the session and who reads from it notice a pause at most, so that the pumps between the stages know
of one replica each and data flows one way.

A replica is lost when its stream breaks, when it leaves work unanswered for too long while its
replies are waited for, or when it misses its polls. One that drains or reports NOT_SERVING still
works: its sessions leave it as soon as another one has accepted them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from google.protobuf.message import Message

from ditto.errors import AtCapacityError, DittoError, ProtocolError, StageUnavailableError
from ditto.serving import metrics
from gateway.dropped_tasks import drop
from gateway.stages.moves import Departure, FailoverLimits, LostReplicaError, Move
from gateway.stages.replicas import Replica, ReplicaPool
from gateway.stages.stage_kinds import StageKind
from gateway.stages.stage_stream import StageStream

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")

_LOOK_S = 0.1
"""How often a reader that waits looks at its replica."""
_RETRY_S = 0.1
_LEAVE_AGAIN_S = 1.0
_MOST_FRUITLESS_MOVES = 3
"""Input that kills whoever gets it must not kill every replica there is."""


class StageSession(Generic[Request, Response]):
    """Written to by any task, read by one, which also replaces the replica."""

    def __init__(
        self,
        kind: StageKind[Request, Response],
        pool: ReplicaPool,
        pack: str,
        limits: FailoverLimits,
    ) -> None:
        self.module = kind.module
        self.next_frame = kind.first_frame
        """One past the last frame that came back."""
        self.moves: list[Move] = []
        """Those that nobody has taken note of yet; whoever does removes them."""
        self._kind = kind
        self._log = kind.log
        self._pool = pool
        self._pack = pack
        self._limits = limits
        self._stream: StageStream[Request, Response] | None = None
        self._base = self._sent = 0
        """Requests that the stream began behind, and one past the last that was sent on it."""
        self._sending: asyncio.Task[None] | None = None
        self._looks_in_vain = 0
        self._departure: Departure | None = None
        self._fruitless_moves = 0
        self._leave_at_s = 0.0

    @property
    def stream(self) -> StageStream[Request, Response]:
        """The present one, once `open` has been waited for."""
        assert self._stream is not None
        return self._stream

    @property
    def is_open(self) -> bool:
        """`open` has found a replica."""
        return self._stream is not None

    @property
    def replica(self) -> Replica:
        """Who serves the session now."""
        return self.stream.replica

    async def open(self) -> None:
        """Begin on the best replica. Raises `AtCapacityError` or `StageUnavailableError`."""
        await self._pool.first_that(self._pack, self._begin_on)

    async def write(self, request: Request) -> None:
        """Send a request; waits while the stage is busy with earlier ones, or is replaced."""
        number = await self._log.add(request)
        self._kind.sent(request)
        await self._log.until(lambda: self._sent > number or self._log.is_closed)

    def finish(self) -> None:
        """Nothing more will be written; the last replies follow."""
        self._log.finish()

    def close(self) -> None:
        """Free the session slot, and let go of whoever waits to write."""
        self._drop_stream()
        self._log.close()

    async def replies(self) -> AsyncIterator[Response]:
        """Replies with new frames, each frame once and in order, until all is answered.

        Raises `StageUnavailableError` when a lost replica cannot be replaced, and the stage's own
        error when it refuses something.
        """
        while True:
            self._looks_in_vain = 0
            try:
                reply = await self._read()
            except LostReplicaError as lost:
                await self._replace(lost)
                continue
            if reply is None:
                break
            if self._take(reply):
                yield reply
        if self._departure:
            self._arrive(self._departure)

    async def _read(self) -> Response | None:
        """The next reply; on the way leaves a replica that will go away."""
        while True:
            is_ready = await self.stream.ready(_LOOK_S)
            if self.replica.leaving and await self._leave():
                continue
            if not is_ready:
                self._check_answers()
                continue
            try:
                return await self.stream.read()
            except StageUnavailableError as error:
                raise LostReplicaError("reset", str(error)) from None

    def _check_answers(self) -> None:
        """Nothing came while it was looked for. Looks are counted, not seconds: a gateway that
        stood still itself has seen none of what came meanwhile."""
        missed = self.replica.missed_polls
        if missed >= self._limits.missed_polls:
            raise LostReplicaError("polls", f"stopped answering, {missed} polls in a row")
        self._looks_in_vain = self._looks_in_vain + 1 if self._log.is_busy else 0
        if self._looks_in_vain * _LOOK_S >= self._limits.hang_s:
            raise LostReplicaError(
                "hang", f"stopped answering, its work waits for {self._limits.hang_s:g} s"
            )

    def _take(self, reply: Response) -> bool:
        """Account for a reply; whether new frames are in it."""
        frames = self._kind.accept(reply, self._base, self.next_frame)
        if frames and frames.start > self.next_frame:
            raise DittoError(
                f"{self.stream.peer}: gave frame {frames.start} "
                f"where {self.next_frame} was expected"
            )
        is_new = frames.stop > self.next_frame
        if is_new:
            self._fruitless_moves = 0
        if self._departure and (is_new or self._log.answered >= self._departure.until_answered):
            self._arrive(self._departure)
        self.next_frame = max(self.next_frame, frames.stop)
        return is_new

    async def _replace(self, lost: LostReplicaError) -> None:
        """Go on elsewhere within the time that there is for it."""
        since_s = time.monotonic() - self._looks_in_vain * _LOOK_S
        self.replica.is_healthy = False
        self._drop_stream()
        self._fruitless_moves += 1
        problem = f"{self.stream.peer}: {lost}"
        if self._fruitless_moves > _MOST_FRUITLESS_MOVES:
            raise StageUnavailableError(f"{problem}; so did those that took its session over")
        refusal: DittoError | str = "none answered"
        try:
            async with asyncio.timeout(self._limits.search_s):
                while True:
                    try:
                        return await self._move(lost.reason, since_s)
                    except (AtCapacityError, StageUnavailableError) as error:
                        refusal = error
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            raise StageUnavailableError(
                f"{problem}; no replica took its session over within "
                f"{self._limits.search_s:g} s: {refusal}"
            ) from None

    async def _leave(self) -> bool:
        """Go on elsewhere while the replica still works; False while there is no room."""
        if time.monotonic() < self._leave_at_s:
            return False
        try:
            await self._move(self.replica.leaving, time.monotonic())
        except DittoError:
            self._leave_at_s = time.monotonic() + _LEAVE_AGAIN_S
            return False
        return True

    async def _move(self, reason: str, since_s: float) -> None:
        """Open the session on the best of the other replicas."""
        left, pack_hash = self.stream.session.replica, self.stream.session.pack_hash
        caught_up = min(self._log.answered + 1, self._log.end)
        starts_over = await self._pool.first_that(
            self._pack, self._begin_on, shunned=self.replica, pack_hash=pack_hash
        )
        metrics.FAILOVERS.labels(self.module, reason).inc()
        if self._departure:  # from one replica to the next before anything came
            self._arrive(self._departure)
        self._departure = Departure(
            reason, left, self.stream.session.replica, starts_over, since_s, caught_up
        )
        self._looks_in_vain = 0

    def _arrive(self, departure: Departure) -> None:
        gap_s = time.monotonic() - departure.since_s
        metrics.FAILOVER_GAP.labels(self.module).observe(gap_s)
        self.moves.append(Move(self.module, departure, self.next_frame, gap_s))
        self._departure = None

    async def _begin_on(self, replica: Replica) -> bool:
        """Open the session on a replica and let go of the present one.

        Whether it had to start over: the replica's pack is another one, or cannot read the state.
        """
        known = self._stream and self._stream.session.pack_hash
        starts_over = bool(known) and replica.status.pack_hash != known
        try:
            stream = await self._kind.open(replica, self.next_frame, starts_over)
        except ProtocolError:
            if starts_over or not self._log.checkpoint:
                raise
            starts_over = True
            stream = await self._kind.open(replica, self.next_frame, starts_over)
        try:
            if self._stream:
                self._log.begin_again(self._kind.replay(self.next_frame, starts_over))
        except DittoError:
            stream.close()
            raise
        self._drop_stream()
        self._stream = stream
        self._base = self._sent = self._log.covered
        self._sending = asyncio.create_task(self._send_all(stream))
        return starts_over

    async def _send_all(self, stream: StageStream[Request, Response]) -> None:
        """Follow the log to its end; a stream that breaks is the reader's business."""
        while (request := await self._log.request(self._sent)) is not None:
            if not await stream.send(request):
                return
            self._sent += 1
            self._log.notify()
        await stream.finish()

    def _drop_stream(self) -> None:
        if self._sending:
            drop(self._sending)
        if self._stream:
            self._stream.close()
