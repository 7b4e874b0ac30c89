"""Every misbehaviour against a cluster, beside an honest call: what it got, and what is left of it.

    python -m bench.misbehave [--only NAME,NAME]

Prints a Markdown table. The honest caller (bench/bystander.py) runs in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import grpc

from bench.attack import Attack, Target
from bench.bystander import Bystander, HonestCall, bystander
from bench.call_attacks import CALL_ATTACKS
from bench.footprint import MIB, Footprint, footprint
from bench.misbehaviours import audio, config, outcome_of
from bench.soak_media import portraits
from bench.wire_attacks import WIRE_ATTACKS
from ditto import packs
from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.local_cluster.cluster import STAGES

SHORT_LIMITS = {
    "gateway": [
        "idle_seconds=5",
        "handshake_timeout_seconds=2",
        "speech_seconds=120",
        "connect_seconds=4",
        "keepalive_seconds=2",
        "keepalive_timeout_seconds=2",
        "connection_idle_seconds=60",
        "admission_load=1000",
    ],
    **{stage: ["slots=3", "connect_seconds=4"] for stage in STAGES},
}
"""Limits that a test can wait for; a busy machine refuses nobody."""
ATTACKS = (*CALL_ATTACKS, *WIRE_ATTACKS)
Footprints = dict[str, Footprint]
_SETTLE_S = 8.0
_QUIET_S = 10.0
_LONGEST_S = 240.0
_LOOK_S = 0.1


@dataclass(frozen=True)
class Aftermath:
    """What one misbehaviour did."""

    name: str
    outcome: str
    seconds: float
    peak_mib: float
    """Most that any process grew meanwhile."""
    left_mib: float
    """What is left of that, in the process where most is."""
    left_in: str
    """Name of that process."""
    left_files: int
    left_threads: int
    honest: Sequence[HonestCall]

    @property
    def row(self) -> str:
        """As a line of a table."""
        late = max((call.late_ms for call in self.honest), default=0.0)
        lost = sum(call.lost_frames for call in self.honest)
        failed = sum(call.status != "OK" for call in self.honest)
        return (
            f"| {self.name} | {self.outcome} | {self.seconds:.0f} s | {self.peak_mib:+.0f} MiB "
            f"| {self.left_mib:+.1f} MiB {self.left_in} "
            f"| {self.left_files:+d} | {self.left_threads:+d} "
            f"| {len(self.honest)} calls, {failed} failed, {lost} frames lost, {late:.0f} ms |"
        )


HEADER = (
    "| misbehaviour | outcome | took | most memory | left | files | threads | honest calls |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Misbehave beside an honest call.")
    parser.add_argument("--only", default="", help="names with commas between")
    only = parser.parse_args(arguments).only.split(",")
    packs.pull("starter")
    chosen = [attack for attack in ATTACKS if only == [""] or attack.__name__ in only]
    plan = ClusterPlan(settings=SHORT_LIMITS)
    with LocalCluster(plan) as cluster, bystander(cluster.address) as honest:
        asyncio.run(run_all(cluster, honest, chosen))
    return 0


async def run_all(
    cluster: LocalCluster, honest: Bystander, attacks: Sequence[Attack]
) -> list[Aftermath]:
    """One after another; tells each line as it is known."""
    target = target_of(cluster)
    await _warm_up(target)
    await asyncio.sleep(_QUIET_S)
    quiet = Aftermath("nobody", "", _QUIET_S, 0, 0, "", 0, 0, list(honest.calls))
    print(f"{HEADER}\n{quiet.row}", flush=True)
    found, before, begun = [quiet], footprints(cluster), time.monotonic()
    for attack in attacks:
        found.append(await aftermath(attack, target, cluster, honest))
        print(found[-1].row, flush=True)
    calls = honest.between(begun, time.monotonic())
    found.append(_left("all of them", "", before, footprints(cluster), begun, calls))
    print(found[-1].row, flush=True)
    return found


async def aftermath(
    attack: Attack, target: Target, cluster: LocalCluster, honest: Bystander
) -> Aftermath:
    """Misbehave, wait a moment, and see what is left."""
    before, begun = footprints(cluster), time.monotonic()
    attacking = asyncio.create_task(_bounded(attack, target))
    peak_mib = 0.0
    while not attacking.done():
        peak_mib = max(peak_mib, *_grown_mib(before, footprints(cluster)).values())
        await asyncio.sleep(_LOOK_S)
    ended = time.monotonic()
    await asyncio.sleep(_SETTLE_S)
    name, outcome = attack.__name__.replace("_", " "), attacking.result().replace("|", "/")
    calls = honest.between(begun, ended)
    left = _left(name, outcome, before, footprints(cluster), begun, calls)
    return replace(left, peak_mib=peak_mib, seconds=ended - begun)


def _left(
    name: str,
    outcome: str,
    before: Footprints,
    after: Footprints,
    begun: float,
    honest: Sequence[HonestCall],
) -> Aftermath:
    files = max(after[each].open_files - before[each].open_files for each in before)
    threads = max(after[each].threads - before[each].threads for each in before)
    grown = _grown_mib(before, after)
    most = max(grown, key=lambda each: grown[each])
    seconds = time.monotonic() - begun
    return Aftermath(name, outcome, seconds, grown[most], grown[most], most, files, threads, honest)


def target_of(cluster: LocalCluster) -> Target:
    """The addresses of a cluster."""
    servers = cluster.servers
    stages = {stage: servers[f"{stage}-0"].address for stage in STAGES}
    pages = [server.metrics_address for server in servers.values()]
    return Target(cluster.address, stages, pages, portraits()[1])


def footprints(cluster: LocalCluster) -> Footprints:
    """Of every process that runs."""
    found = {}
    for child in cluster.children():
        with suppress(OSError):
            found[child.name] = footprint(child.pid)
    return found


async def _warm_up(target: Target) -> None:
    """The portrait is prepared, and everything was done once."""
    async with grpc.aio.insecure_channel(target.gateway) as channel:
        await outcome_of(channel, [config(target.portrait), audio(bytes(32_000))])


async def _bounded(attack: Attack, target: Target) -> str:
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await attack(target)
    except TimeoutError:
        return f"no end within {_LONGEST_S:.0f} s"


def _grown_mib(before: Footprints, now: Footprints) -> dict[str, float]:
    return {
        name: (now[name].memory_bytes - before[name].memory_bytes) / MIB
        for name in before
        if name in now
    }


if __name__ == "__main__":
    sys.exit(main())
