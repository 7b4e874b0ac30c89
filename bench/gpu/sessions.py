"""Sessions in real time on one device: segments and frames of all, batched as they become ready.

Each session asks for a segment when the speech of its next valid frames is there; its frames are
then drawn in batches with those of others, earliest deadline first, and fetched as 8-bit pixels.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.gpu.target import Run

FRAME_S = 1 / 25
VALID_FRAMES = 5
"""Frames that a segment adds: 80 of which 75 overlap, the shortest hop that the pack offers."""
MARGIN_S = 0.1
"""A frame is late when it is ready so long after its speech was complete."""


@dataclass(frozen=True)
class SessionLoad:
    """So many sessions."""

    sessions: int
    frames: int
    late_frames: int
    first_frame_p50_ms: float
    """From a segment's speech being there to its first frame's pixels: FFD-compute without the
    speech encoder, the picture's encoding and the network."""
    first_frame_p95_ms: float
    busy: float
    """Share of the time that the device computed."""

    def line(self) -> str:
        """For people."""
        return (
            f"{self.sessions:3} sessions: {self.late_frames} of {self.frames} frames late, "
            f"first frame of a segment p50 {self.first_frame_p50_ms:.1f} ms, "
            f"p95 {self.first_frame_p95_ms:.1f} ms, device busy {100 * self.busy:.0f} %"
        )


@dataclass(frozen=True, order=True)
class _Frame:
    due_s: float
    ready_s: float
    place: int


def carry_sessions(
    count: int,
    seconds: float,
    sample: Mapping[int, Run],
    draw: Mapping[int, Run],
    wait: Callable[[], None],
) -> SessionLoad:
    """Run `count` sessions; `sample` and `draw` compute a batch of the size that is their key."""
    chance = random.Random(count)  # noqa: S311
    hop_s = VALID_FRAMES * FRAME_S
    begun = time.perf_counter()
    coming = [begun + chance.random() * hop_s for _ in range(count)]
    frames: list[_Frame] = []
    delays, first_delays, busy_s, now = [], [], 0.0, begun
    while now < begun + seconds or frames:
        ready = [i for i, at in enumerate(coming) if at <= now and at < begun + seconds]
        if not ready and not frames:
            if min(coming) >= begun + seconds:
                break
            time.sleep(max(0.0, min(coming) - time.perf_counter()))
            now = time.perf_counter()
            continue
        worked = time.perf_counter()
        if ready:
            ready = ready[: max(sample)]
            _smallest(sample, len(ready))()
            wait()
            for session in ready:
                at = coming[session]
                frames += [_Frame(at + k * FRAME_S, at, k) for k in range(VALID_FRAMES)]
                coming[session] += hop_s
        frames.sort()
        batch, frames = frames[: max(draw)], frames[max(draw) :]
        _smallest(draw, len(batch))().cpu()
        now = time.perf_counter()
        busy_s += now - worked
        delays += [now - frame.due_s for frame in batch]
        first_delays += [now - frame.ready_s for frame in batch if frame.place == 0]
    p50, p95 = (1000 * float(np.percentile(first_delays, share)) for share in (50, 95))
    late = sum(delay > MARGIN_S for delay in delays)
    spent_s = max(now - begun, 1e-9)
    return SessionLoad(count, len(delays), late, p50, p95, busy_s / spent_s)


def _smallest(runs: Mapping[int, Run], count: int) -> Run:
    """The run of the smallest batch that holds so many."""
    return runs[min(size for size in runs if size >= min(count, max(runs)))]
