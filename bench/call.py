"""Speed and memory of one call at a time through a cluster on this machine.

    python bench/call.py [--calls 5] [--view head|full] [--video jpeg|mp4]

Figures are medians and 95th percentiles over the calls, after a warm-up call. The first-frame delay
is taken in live calls, whose speech is sent at the pace of a microphone; all else in FAST ones.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ditto import packs
from ditto.cli.report import table
from ditto.cli.speech_file import read_speech
from ditto.client import Access, AnimateOptions, CallStats, Client
from ditto.client.speech import SpeechSource
from ditto.local_cluster import LocalCluster

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Measured:
    """One call."""

    stats: CallStats
    cpu_s: float
    wall_s: float

    def per_video_second(self, seconds: float) -> float:
        return seconds / self.stats.video_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=5)
    parser.add_argument("--view", choices=("head", "full"), default="head")
    parser.add_argument("--video", choices=("jpeg", "mp4"), default="jpeg")
    options = parser.parse_args()
    speech = read_speech(EXAMPLES / "speech.wav")
    packs.pull("starter")
    with LocalCluster() as cluster, Client(cluster.address, Access()) as client:
        fast: AnimateOptions = {"video": options.video, "view": options.view}
        paced: AnimateOptions = {**fast, "pacing": "realtime"}
        prepare_ms = list(prepared(client, options.calls))
        measure(cluster, client, speech.data, fast)
        at_once = [measure(cluster, client, speech.data, fast) for _ in range(options.calls)]
        live = [measure(cluster, client, speech.live(), paced) for _ in range(options.calls)]
        memory = sum(use.peak_memory_bytes for use in cluster.usage().values())
    print(f"{options.calls} calls of {speech.seconds:.1f} s, {options.view}, {options.video}")
    found = rows(at_once, live, prepare_ms)
    print(table([*found, ("memory", f"{memory / 2**30:.2f} GiB at most")]))


def prepared(client: Client, count: int) -> Iterator[float]:
    """Times in ms to prepare portraits that no cache knows, as calls with them take."""
    image = Image.open(EXAMPLES / "astronaut.jpg")
    for size in range(512, 512 + 4 * count, 4):
        file = io.BytesIO()
        image.resize((size, size)).save(file, "JPEG", quality=95)
        begun = time.monotonic()
        client.register(file.getvalue())
        yield 1000 * (time.monotonic() - begun)


def measure(
    cluster: LocalCluster, client: Client, speech: SpeechSource, options: AnimateOptions
) -> Measured:
    """Make a call and throw its frames away; the client's processor time counts too."""

    def used_s() -> float:
        return time.process_time() + sum(use.cpu_seconds for use in cluster.usage().values())

    begun, cpu = time.monotonic(), used_s()
    call = client.animate(EXAMPLES / "astronaut.jpg", speech, **options)
    for _ in call:
        pass
    assert call.stats is not None
    return Measured(call.stats, used_s() - cpu, time.monotonic() - begun)


def rows(
    fast: Sequence[Measured], live: Sequence[Measured], prepare_ms: Sequence[float]
) -> list[tuple[str, str]]:
    """The printed figures."""
    found = [
        ("CPU s per video s, FAST", spread([c.per_video_second(c.cpu_s) for c in fast], "{:.3f}")),
        ("CPU s per video s, live", spread([c.per_video_second(c.cpu_s) for c in live], "{:.3f}")),
        ("wall per video s, FAST", spread([c.per_video_second(c.wall_s) for c in fast], "{:.3f}")),
        ("FFD, live", spread([call.stats.ffd_ms for call in live], "{:.0f} ms")),
        ("FFD-compute, live", spread([call.stats.ffd_compute_ms for call in live], "{:.0f} ms")),
        ("FFD-compute, FAST", spread([call.stats.ffd_compute_ms for call in fast], "{:.0f} ms")),
        ("prepare, with its call", spread(prepare_ms, "{:.0f} ms")),
    ]
    for place, module in enumerate(fast[0].stats.modules):
        rtf = [call.stats.modules[place].rtf for call in fast]
        found.append((f"RTF {module.module}", spread(rtf, "{:.3f}")))
    return found


def spread(values: Sequence[float], form: str) -> str:
    """Median and 95th percentile."""
    middle, high = (form.format(np.percentile(values, share)) for share in (50, 95))
    return f"median {middle}, p95 {high}"


if __name__ == "__main__":
    main()
