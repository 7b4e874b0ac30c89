"""The replicas of one stage: who is there, who is well, who has room.

Addresses are resolved and asked for their status at a fixed pace, each over a channel of its own,
so that new and gone replicas are noticed within a poll. Between polls the counts of free slots are
kept up with what this gateway opens and closes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ditto.errors import AtCapacityError, NoHeadroomError, StageUnavailableError
from ditto.v1 import stage_status_pb2 as status_pb
from ditto.v1.stage_status_pb2_grpc import StageStatusServiceStub
from gateway.stages.addresses import resolve_all
from gateway.stages.channels import StageDialer

_RETIRE_S = 7200.0
"""A channel whose certificates were renewed keeps its running calls for so long."""
_LAST_LOOK_S = 0.05
"""A refusal is worth so much waiting for a slot that has just been freed."""
Status = status_pb.GetStageStatusResponse
Result = TypeVar("Result")


@dataclass
class Replica:
    """One address of a stage, as last seen."""

    address: str
    channel: grpc.aio.Channel
    status: Status = field(default_factory=Status)
    """Its last answer; empty until there was one."""
    free_slots: int = 0
    """Its free slots as far as known here."""
    is_healthy: bool = False
    """It answered the last poll, is not draining, and no call to it failed since."""
    missed_polls: int = 0
    """Polls in a row that it did not answer."""
    leaving: str = ""
    """Why its sessions should move while it still works: drain or not_serving."""
    users: int = 0
    """Streams and other calls that run over its channel."""
    dialed: int = 0
    """Version of the certificates that the channel was opened with."""

    def opened(self) -> None:
        """A session begins."""
        self.free_slots -= 1
        self.users += 1

    def closed(self) -> None:
        """A session has ended."""
        self.free_slots += 1
        self.users -= 1

    def load(self, more: int = 0) -> float:
        """Share of its time that REALTIME sessions take, with so many more of them: what it
        measured, times those that it had at the last poll and those that it got since."""
        since = max(0, self.status.free_slots - self.free_slots)
        return (self.status.realtime_sessions + since + more) * self.status.session_load


class ReplicaPool:
    """All replicas of one stage, best first."""

    def __init__(
        self,
        module: str,
        targets: Sequence[str],
        poll_timeout_s: float,
        dialer: StageDialer | None = None,
    ) -> None:
        self.module = module
        self._targets = targets
        self._poll_timeout_s = poll_timeout_s
        self._dialer = dialer or StageDialer()
        self._replicas: dict[str, Replica] = {}
        self._unlisted: dict[str, Replica] = {}
        """Gone from the addresses, and kept until their last sessions have ended or moved."""
        self._retired: set[asyncio.Task[None]] = set()

    async def poll_forever(self, every_s: float) -> None:
        """Keep the picture current until cancelled."""
        while True:
            await self.poll()
            await asyncio.sleep(every_s)

    async def poll(self) -> None:
        """Resolve the addresses and ask each replica for its status once."""
        addresses = await resolve_all(self._targets)
        version = self._dialer.version()
        for address in (addresses or set()) - self._replicas.keys():
            known = self._unlisted.pop(address, None)
            self._replicas[address] = known or Replica(
                address, self._dialer.open(address), dialed=version
            )
        for replica in self._replicas.values():
            if replica.dialed != version:
                self._retire(replica.channel)
                replica.channel, replica.dialed = self._dialer.open(replica.address), version
        if addresses is not None:
            for address in self._replicas.keys() - addresses:
                self._unlisted[address] = self._replicas.pop(address)
        await self._forget({a for a, replica in self._unlisted.items() if not replica.users})
        await asyncio.gather(*map(self._ask, [*self._replicas.values(), *self._unlisted.values()]))

    def healthy(self, pack: str | None = None) -> list[Replica]:
        """Replicas that may be called, of `pack` or any, least loaded first, then most slots."""
        found = (
            replica
            for replica in self._replicas.values()
            if replica.is_healthy and pack in (None, replica.status.pack)
        )
        return sorted(found, key=lambda replica: (replica.load(), -replica.free_slots))

    def known(self) -> list[Replica]:
        """All replicas, well or not."""
        return [*self._replicas.values(), *self._unlisted.values()]

    async def require_room(self, pack: str, most_load: float = math.inf) -> None:
        """Refuse at once what would be refused later, after the portrait's costly preparation,
        and what would take more than `most_load` of every replica. A lone session always fits."""
        if not self._has_slot(pack):
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_LOOK_S):
                    await self.poll()
        if not self.healthy(pack):
            raise self._nobody(pack)
        free = [replica for replica in self.healthy(pack) if replica.free_slots > 0]
        if not free:
            raise AtCapacityError(f"{self.module}: every session slot is taken")
        if all(replica.load() > 0 and replica.load(more=1) > most_load for replica in free):
            raise NoHeadroomError(
                f"{self.module}: one more call in real time would be late; those that run take "
                f"{free[0].load():.0%} of the least loaded replica"
            )

    async def first_that(
        self,
        pack: str,
        use: Callable[[Replica], Awaitable[Result]],
        shunned: Replica | None = None,
        pack_hash: str = "",
    ) -> Result:
        """What `use` gives for the best replica that is neither gone nor full.

        The `shunned` one comes last, and before it those whose pack is not `pack_hash`.
        Raises `AtCapacityError` or `StageUnavailableError` when there is none, and whatever else
        `use` raises.
        """
        refusal: AtCapacityError | None = None
        candidates = self.healthy(pack)
        if shunned:
            candidates.sort(key=lambda each: (each is shunned, each.status.pack_hash != pack_hash))
        for replica in candidates:
            try:
                replica.users += 1
                return await use(replica)
            except AtCapacityError as error:
                refusal, replica.free_slots = error, 0
            except StageUnavailableError:
                replica.is_healthy = False
            finally:
                replica.users -= 1
        raise refusal or self._nobody(pack)

    async def close(self) -> None:
        """Close every channel."""
        for task in self._retired:
            task.cancel()
        await asyncio.gather(*self._retired, return_exceptions=True)
        self._unlisted |= self._replicas
        self._replicas.clear()
        await self._forget(set(self._unlisted))

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Close a channel once the calls that run over it have had time to end."""

        async def close_later() -> None:
            try:
                await asyncio.sleep(_RETIRE_S)
            finally:
                await channel.close(None)

        task = asyncio.create_task(close_later())
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    def _has_slot(self, pack: str) -> bool:
        return any(replica.free_slots > 0 for replica in self.healthy(pack))

    def _nobody(self, pack: str) -> StageUnavailableError:
        return StageUnavailableError(
            f"{self.module}: no replica with pack {pack} answers at {', '.join(self._targets)}"
        )

    async def _ask(self, replica: Replica) -> None:
        stub = StageStatusServiceStub(replica.channel)  # type: ignore[no-untyped-call]
        request = status_pb.GetStageStatusRequest()
        try:
            replica.status = await stub.GetStageStatus(request, timeout=self._poll_timeout_s)
            is_serving = await self._is_serving(replica)
        except grpc.aio.AioRpcError:
            replica.missed_polls += 1
            replica.is_healthy = False
            return
        replica.missed_polls = 0
        replica.free_slots = replica.status.free_slots
        replica.leaving = (
            "drain" if replica.status.draining else "" if is_serving else "not_serving"
        )
        replica.is_healthy = not replica.leaving

    async def _is_serving(self, replica: Replica) -> bool:
        """Its health, where it tells."""
        stub = health_pb2_grpc.HealthStub(replica.channel)
        request = health_pb2.HealthCheckRequest()
        try:
            answer = await stub.Check(request, timeout=self._poll_timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return True
            raise
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _forget(self, addresses: set[str]) -> None:
        for address in addresses:
            await self._unlisted.pop(address).channel.close(None)
