"""What the processes of a cluster on this machine used, and what their metrics pages count."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.request import urlopen

from ditto.local_cluster import LocalCluster

_SAMPLE = re.compile(
    r'^ditto_(batch_size_sum|batch_size_count|busy_seconds_total)\{module="(\w+)"\} (\S+)'
)


@dataclass(frozen=True)
class Reading:
    """Counters at one moment."""

    cpu_s: Mapping[str, float]
    """By process; "client" is this one."""
    peak_memory_bytes: int
    counters: Mapping[tuple[str, str], float]
    """By (metric, module), over all replicas."""
    loop_s: Mapping[str, float] = field(default_factory=dict)
    """The event loop's part of ``cpu_s``, by server process."""

    def since(self, before: Reading) -> Reading:
        """The differences to an earlier reading; memory stays the peak."""
        cpu = {name: cpu_s - before.cpu_s.get(name, 0.0) for name, cpu_s in self.cpu_s.items()}
        counters = {
            key: count - before.counters.get(key, 0.0) for key, count in self.counters.items()
        }
        loop = {name: loop_s - before.loop_s.get(name, 0.0) for name, loop_s in self.loop_s.items()}
        return Reading(cpu, self.peak_memory_bytes, counters, loop)

    def busy_s(self, module: str) -> float:
        """Time that a stage computed."""
        return self.counters.get(("busy_seconds_total", module), 0.0)

    def mean_batch(self, module: str) -> float | None:
        """Sessions that were computed together, on average over the steps of sessions."""
        steps = self.counters.get(("batch_size_count", module), 0.0)
        return self.counters.get(("batch_size_sum", module), 0.0) / steps if steps else None


class Observer:
    """Reads a local cluster."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster

    def read(self) -> Reading:
        """The counters now."""
        usage = self._cluster.usage()
        cpu = {name: use.cpu_seconds for name, use in usage.items()}
        memory = sum(use.peak_memory_bytes for use in usage.values())
        loop = {name: usage[name].loop_seconds for name in self._cluster.servers}
        return Reading(cpu | {"client": time.process_time()}, memory, self._counters(), loop)

    def _counters(self) -> dict[tuple[str, str], float]:
        counters: dict[tuple[str, str], float] = {}
        for server in self._cluster.servers.values():
            url = f"http://{server.metrics_address}/metrics"
            with urlopen(url, timeout=30) as page:
                for line in page.read().decode().splitlines():
                    if found := _SAMPLE.match(line):
                        key = (found[1], found[2])
                        counters[key] = counters.get(key, 0.0) + float(found[3])
        return counters
