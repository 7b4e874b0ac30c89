"""Speed and memory of one call at a time through a cluster on this machine.

    python bench/call.py [--calls 5] [--view head|full] [--encoding jpeg|h264_fmp4]

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
from ditto.cli.call import requests
from ditto.cli.gateway import gateway
from ditto.cli.report import table
from ditto.cli.speech_file import Speech, read_speech
from ditto.local_cluster import LocalCluster
from ditto.v1.animation_pb2 import AnimateConfig, CallStats, RegisterAvatarRequest
from ditto.v1.types_pb2 import VideoFormat

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
    parser.add_argument("--encoding", choices=("jpeg", "h264_fmp4"), default="jpeg")
    options = parser.parse_args()
    speech = read_speech(EXAMPLES / "speech.wav")
    config = AnimateConfig(
        portrait=(EXAMPLES / "astronaut.jpg").read_bytes(),
        audio_format=speech.audio_format,
        video_format=VideoFormat(encoding=f"VIDEO_ENCODING_{options.encoding.upper()}"),
        view=f"VIEW_{options.view.upper()}",
    )
    live = AnimateConfig(pacing="PACING_REALTIME")
    live.MergeFrom(config)
    packs.pull("starter")
    with LocalCluster() as cluster:
        prepare_ms = list(prepared(cluster, options.calls))
        measure(cluster, config, speech, None)
        fast = [measure(cluster, config, speech, None) for _ in range(options.calls)]
        paced = [measure(cluster, live, speech, speech.seconds) for _ in range(options.calls)]
        memory = sum(use.peak_memory_bytes for use in cluster.usage().values())
    print(f"{options.calls} calls of {speech.seconds:.1f} s, {options.view}, {options.encoding}")
    print(table([*rows(fast, paced, prepare_ms), ("memory", f"{memory / 2**30:.2f} GiB at most")]))


def prepared(cluster: LocalCluster, count: int) -> Iterator[float]:
    """Times in ms to register portraits that no cache knows."""
    image = Image.open(EXAMPLES / "astronaut.jpg")
    with gateway(cluster.address) as service:
        for size in range(512, 512 + 4 * count, 4):
            file = io.BytesIO()
            image.resize((size, size)).save(file, "JPEG", quality=95)
            request = RegisterAvatarRequest(portrait=file.getvalue())
            yield service.RegisterAvatar(request, timeout=60).prepare_ms


def measure(
    cluster: LocalCluster, config: AnimateConfig, speech: Speech, paced_s: float | None
) -> Measured:
    """Make a call and throw its frames away; the client's processor time counts too."""

    def used_s() -> float:
        return time.process_time() + sum(use.cpu_seconds for use in cluster.usage().values())

    begun, cpu = time.monotonic(), used_s()
    stats = CallStats()
    with gateway(cluster.address) as service:
        for response in service.Animate(requests(config, speech.data, paced_s)):
            stats = response.stats
    return Measured(stats, used_s() - cpu, time.monotonic() - begun)


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
        ("prepare", spread(prepare_ms, "{:.0f} ms")),
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
