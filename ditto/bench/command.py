"""What `ditto bench` does with its options."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ditto import __version__, packs
from ditto.bench import report
from ditto.bench.figures import BenchResult, LoadFigures, read_result
from ditto.bench.observer import Observer
from ditto.bench.plot import draw
from ditto.bench.sweep import SweepPlan, sweep
from ditto.cli.speech_file import read_speech
from ditto.cli.up import parse_settings
from ditto.errors import InvalidInputError
from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.v1.animation_pb2 import AnimateConfig

_STAGES = ("audio_encoder", "motion_dit", "renderer")


def compare(old: Path, new: Path) -> int:
    """Print two results side by side."""
    print(report.comparison(read_result(old), read_result(new)))
    return 0


def measure(options: argparse.Namespace) -> int:
    """Run the sweep, print the table, write the files."""
    plan = plan_of(options)
    with target(options, max(plan.calls)) as (address, observer):
        loads = asyncio.run(sweep(address, plan, observer, tell))
    result = BenchResult(about(options, plan), loads)
    print(report.table(loads))
    print(f"carried: {result.carried} concurrent calls with every frame on time")
    if options.output:
        result.write(options.output)
    if options.plot:
        draw(result, options.plot)
    return 0 if result.carried else 1


def plan_of(options: argparse.Namespace) -> SweepPlan:
    """The sweep that a command line asks for. Raises `InvalidInputError`."""
    if options.portrait is None or options.speech is None:
        raise InvalidInputError("PORTRAIT SPEECH", "both are needed, unless --compare is given")
    samples = read_speech(options.speech).samples
    if options.seconds <= 0 or options.probes < 0:
        raise InvalidInputError("--seconds", "must be above 0, and --probes not below")
    return SweepPlan(
        config=AnimateConfig(
            portrait=options.portrait.read_bytes(), view=f"VIEW_{options.view.upper()}"
        ),
        pcm=np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes(),
        calls=parse_calls(options.calls),
        seconds=options.seconds,
        probes=options.probes,
        limit_seconds=options.limit,
        ends_when_late=not options.all,
    )


def parse_calls(text: str) -> list[int]:
    """``"1,2,4"`` as rising numbers. Raises `InvalidInputError`."""
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) for part in parts):
        raise InvalidInputError("--calls", f"{text}: numbers from 1 on with commas between")
    return sorted({int(part) for part in parts})


@contextmanager
def target(options: argparse.Namespace, calls: int) -> Iterator[tuple[str, Observer | None]]:
    """The address to call, and who can look into its processes."""
    if options.server:
        yield options.server, None
        return
    packs.pull("starter")
    settings = {stage: [f"slots={calls}"] for stage in _STAGES}
    for process, own in parse_settings(options.settings).items():
        settings.setdefault(process, []).extend(own)
    print("starting a cluster ...", flush=True)
    with LocalCluster(ClusterPlan(settings=settings), note=print) as cluster:
        yield cluster.address, Observer(cluster)


def tell(load: LoadFigures) -> None:
    """One line as soon as a load has run."""
    compute = f"{load.ffd_compute_ms.p95:.0f} ms" if load.ffd_compute_ms else "-"
    print(
        f"{load.calls} calls: {load.late_frames} of {load.frames} frames late, "
        f"{load.failed_calls} calls failed, FFD-compute p95 {compute} {load.first_failure}",
        flush=True,
    )


def about(options: argparse.Namespace, plan: SweepPlan) -> dict[str, str | float]:
    """What a reader of the figures must know."""
    return {
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "load_average": os.getloadavg()[0],
        "server": options.server or "local",
        "settings": " ".join(options.settings),
        "view": options.view,
        "seconds": plan.seconds,
        "probes": plan.probes,
    }
