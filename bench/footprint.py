"""What a process holds of the machine at one moment, as Linux tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MIB = 2**20


@dataclass(frozen=True)
class Footprint:
    """Memory of its own, threads and open files."""

    memory_bytes: int
    """Resident and not backed by a file: what allocations make grow."""
    threads: int
    open_files: int


def footprint(pid: int) -> Footprint:
    """Of a process that runs. Raises `OSError` when it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    open_files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    memory_bytes = int(fields["RssAnon"].split()[0]) * 1024
    return Footprint(memory_bytes, int(fields["Threads"]), open_files)
