"""The table of a call's measured numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ditto.cli.call import CallResult
from ditto.cli.speech_file import Speech
from ditto.media.measured_mp4 import measure_mp4
from ditto.v1.types_pb2 import PACING_REALTIME

if TYPE_CHECKING:
    from ditto.local_cluster.cluster import Usage


def call_rows(result: CallResult, file: Path, speech: Speech) -> list[tuple[str, str]]:
    """What the server measured, and what decoding the file shows."""
    stats, fps = result.stats, result.started.config.frame_rate or 25
    found = measure_mp4(file.read_bytes())
    picture, sound = f"{found.width}x{found.height}", f"{found.sound_seconds:.2f} s of sound"
    skew = f"{stats.av_skew_ms:+.1f} ms planned, {found.av_skew_ms(speech.samples, fps):+.1f} ms"
    sent = "at its own pace" if result.started.config.pacing == PACING_REALTIME else "at once"
    delay = f"{stats.ffd_ms:.0f} ms, of which compute {stats.ffd_compute_ms:.0f} ms"
    rows = [
        ("frames", f"{found.frames} of {picture} at {fps}/s, {found.video_seconds(fps):.2f} s"),
        ("sound", f"{sound}, {found.audio_codec}; picture {found.video_codec}"),
        ("A/V skew", f"{skew} in the decoded file"),
        ("first-frame delay", f"{delay} (speech sent {sent})"),
        ("avatar", f"{stats.avatar_source}"),
        ("whole call", f"{result.wall_seconds:.2f} s of wall time"),
    ]
    for module in stats.modules:
        spent = f"{module.compute_ms:.0f} ms computing, {module.queue_ms:.0f} ms queued"
        rows.append((f"RTF {module.module}", f"{module.rtf:.3f} ({spent})"))
    return rows


def machine_rows(
    before: Mapping[str, Usage], after: Mapping[str, Usage], own_cpu_seconds: float, video_s: float
) -> list[tuple[str, str]]:
    """What the call took of the machine; the client counts too."""
    spent = {name: use.cpu_seconds - before[name].cpu_seconds for name, use in after.items()}
    spent["client"] = own_cpu_seconds
    shares = ", ".join(f"{name} {seconds / video_s:.2f}" for name, seconds in spent.items())
    memory = sum(use.peak_memory_bytes for use in after.values())
    return [
        ("CPU s per video s", f"{sum(spent.values()) / video_s:.2f} ({shares})"),
        ("memory, at most", f"{memory / 2**30:.2f} GiB, all {len(after)} processes of the cluster"),
    ]


def table(rows: list[tuple[str, str]]) -> str:
    """Rows as aligned text."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:{width}}  {value}" for name, value in rows)
