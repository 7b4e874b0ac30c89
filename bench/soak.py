"""Calls that come and go for minutes, and whether anything grows meanwhile.

    python -m bench.soak [--seconds 600] [--callers 3] [--seed 0]

Starts a cluster, keeps so many callers busy with calls of every kind (bench/soak_calls.py), samples
memory of every process each second, and compares threads and open files at rest before and after.
Ends with 1 when memory grows beyond noise, a thread or file is left over, a frame is lost, or a
call ends as it must not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.footprint import MIB, Footprint, footprint
from bench.growth import Trend, trend_of
from bench.soak_calls import Callers, Tally
from bench.soak_media import portraits, speech
from ditto import packs
from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.local_cluster.cluster import STAGES

ALLOWED_MIB = 8.0
"""Over the whole run, beyond noise. Allocators settle for a while."""
ALLOWED_FILES = 2
"""More at rest than before: connections that are just being closed."""
ALLOWED_THREADS = 6
"""A pool of threads that had not filled yet."""
_PATIENT = ["admission_load=1000", "reader_lag_seconds=10"]
"""However busy the machine is, calls are taken: it is memory that is tested, not speed."""
_SHOWN_ERRORS = 10
_SETTLE_S = 8.0
_WARM_SHARE = 0.2
_LEAST_SAMPLES = 20

Footprints = Mapping[str, Footprint]


@dataclass
class Soaked:
    """What a soak found."""

    tally: Tally
    before: Footprints
    """At rest, after the first calls."""
    after: Footprints
    """At rest, at the end."""
    times_s: list[float] = field(default_factory=list)
    samples: list[Footprints] = field(default_factory=list)

    def trend(self, process: str) -> Trend:
        """Of memory in MiB, after the first part of the run, when caches and pools fill."""
        first = min(int(len(self.times_s) * _WARM_SHARE), len(self.times_s) - _LEAST_SAMPLES)
        memory = [sample[process].memory_bytes / MIB for sample in self.samples]
        return trend_of(self.times_s[first:], memory[first:])

    def faults(self, allowed_mib: float = ALLOWED_MIB) -> list[str]:
        """Why the run failed; none when it did not."""
        found = list(self.tally.wrong)
        if self.tally.lost_frames:
            found.append(f"{self.tally.lost_frames} frames were lost")
        for name, before in self.before.items():
            after = self.after[name]
            if self.trend(name).grows_by_more_than(allowed_mib):
                found.append(f"{name}: memory grows")
            if after.open_files > before.open_files + ALLOWED_FILES:
                found.append(f"{name}: {after.open_files - before.open_files} files left open")
            if after.threads > before.threads + ALLOWED_THREADS:
                found.append(f"{name}: {after.threads - before.threads} threads left over")
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the tables; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Calls that come and go; does anything grow?")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--callers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--allowed-mib", type=float, default=ALLOWED_MIB, help="of growth")
    options = parser.parse_args(arguments)
    packs.pull("starter")
    slots = options.callers + 2  # one that was given up is freed a moment later
    settings = {stage: [f"slots={slots}"] for stage in STAGES}
    settings["gateway"] = _PATIENT
    errors: list[str] = []

    def keep_errors(process: str, line: str) -> None:
        if '"level": "error"' in line and len(errors) < _SHOWN_ERRORS:
            errors.append(f"{process}: {line}")

    with LocalCluster(ClusterPlan(settings=settings), keep_errors) as cluster:
        soaked = asyncio.run(soak(cluster, options.seconds, options.callers, options.seed))
    print("\n".join([report(soaked), *errors]))
    faults = soaked.faults(options.allowed_mib)
    print("\n".join(faults[:20]) if faults else "nothing grows, nothing is lost")
    return 1 if faults else 0


async def soak(cluster: LocalCluster, seconds: float, callers: int, seed: int) -> Soaked:
    """Warm up with a few calls, take the measure at rest, then call for so long."""
    loop = asyncio.get_running_loop()
    crowd = Callers(cluster.address, portraits(), speech(), Tally())
    await crowd.call_until(loop.time() + min(20.0, seconds / 4), seed - 1)
    await asyncio.sleep(_SETTLE_S)
    crowd.tally.calls.clear()
    before = footprints(cluster)
    soaked = Soaked(crowd.tally, before, before)
    end_s = loop.time() + seconds
    calling = [asyncio.create_task(crowd.call_until(end_s, seed + n)) for n in range(callers)]
    while not all(task.done() for task in calling):
        soaked.times_s.append(time.monotonic())
        soaked.samples.append(footprints(cluster))
        await asyncio.sleep(1.0)
    await asyncio.gather(*calling)
    await asyncio.sleep(_SETTLE_S)
    soaked.after = footprints(cluster)
    return soaked


def footprints(cluster: LocalCluster) -> Footprints:
    """Of every process; "client" is this one."""
    found = {child.name: footprint(child.pid) for child in cluster.children()}
    return found | {"client": footprint(os.getpid())}


def report(soaked: Soaked) -> str:
    """The tables, as Markdown."""
    tally, minutes = soaked.tally, (soaked.times_s[-1] - soaked.times_s[0]) / 60
    lines = [
        "| process | memory at rest | slope a minute | threads | open files |",
        "|---|---|---|---|---|",
    ]
    for name, before in soaked.before.items():
        after, trend = soaked.after[name], soaked.trend(name)
        memory = f"{before.memory_bytes / MIB:.1f} → {after.memory_bytes / MIB:.1f} MiB"
        lines.append(
            f"| {name} | {memory} | {trend.slope:+.2f} ± {trend.noise:.2f} MiB "
            f"| {before.threads} → {after.threads} | {before.open_files} → {after.open_files} |"
        )
    lines += ["", "| calls | status | how many |", "|---|---|---|"]
    for (kind, status), count in sorted(tally.calls.items()):
        lines.append(f"| {kind} | {status} | {count} |")
    lines += [
        "",
        f"{sum(tally.calls.values())} calls in {minutes:.1f} minutes, {tally.frames} frames, "
        f"{tally.lost_frames} lost, {tally.skipped_frames} skipped and announced.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
