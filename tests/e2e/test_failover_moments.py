"""Stage replicas are killed at random moments of long calls, stopped, and restarted in turn.

Prints the table of docs/reliability.md. Every call speaks for 20 seconds; a moment is the frame
that has just come to the caller, chosen by a seeded generator.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event

import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from ditto.v1 import types_pb2 as types
from tests.e2e.failing import (
    STAGES,
    Watched,
    check_whole,
    decoded,
    least_psnr_db,
    pairs,
    revive,
    strike,
    watched_call,
)
from tests.e2e.moments import (
    FRAMES,
    MOMENTS,
    SAME_H264_DB,
    Tally,
    median_and_most,
    printed,
    said,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

STOPS = 1
BATCHED_DB = 40.0
"""Least PSNR where steps of several calls are computed together."""
LEAVING = ("drain", "not_serving")
SEEN_S = 2.5
"""Until the gateway has noticed a replica that serves."""
Kind = dict[str, int]
JPEG: Kind = {"encoding": types.VIDEO_ENCODING_JPEG}
H264: Kind = {"encoding": types.VIDEO_ENCODING_H264_FMP4}
REALTIME: Kind = {"pacing": types.PACING_REALTIME, "keep_quality": True}


def kind_of(moment: int) -> Kind:
    """Of 20 moments 12 in FAST calls of JPEG, 4 of H.264, 4 in REALTIME."""
    return {3: H264, 4: REALTIME}.get(moment % 5, JPEG)


def last_moment(stage: str, kind: Kind) -> int:
    """Frame up to which a stage has work: the first two may be ten seconds ahead of a FAST caller,
    and all of them are two ahead of one in REALTIME whose machine is busy."""
    if kind is REALTIME:
        return FRAMES - 100
    return FRAMES - 25 if stage == "renderer" else FRAMES - 275


def add(tally: Tally, what: str, answer: Watched) -> None:
    """One call that went well."""
    moves = [f"{move.detail} at {move.frame_index}" for move in answer.moves]
    print(f"\n{what}: {moves}, {answer.longest_pause_s:.2f} s")
    tally.add(
        what, [move.gap_ms for move in answer.moves], caller_waited_ms=answer.longest_pause_s * 1000
    )


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    with printed(Tally(caller_waited_ms=median_and_most)) as results:
        yield results


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with pairs(**{stage: ["drain_seconds=30"] for stage in STAGES}) as running:
        yield running


@pytest.fixture(scope="module")
def calm(cluster: LocalCluster) -> dict[int, Watched]:
    """Undisturbed answers by encoding."""
    return {
        kind["encoding"]: watched_call(cluster.address, said(), **kind) for kind in (JPEG, H264)
    }


_SERVING_SINCE: dict[str, float] = {}


def both_serve(cluster: LocalCluster, stage: str) -> None:
    """Wait for a pair to be whole again, and for the gateway to know."""
    for name in (f"{stage}-0", f"{stage}-1"):
        if name in _SERVING_SINCE:
            cluster.wait_until_serving(name)
            time.sleep(max(0.0, _SERVING_SINCE.pop(name) + SEEN_S - time.monotonic()))


def lose(
    cluster: LocalCluster, stage: str, frame: int, how: signal.Signals, **kind: int
) -> Watched:
    """A call whose replica of a stage gets a signal; another one is started in its place."""
    both_serve(cluster, stage)
    struck: list[tuple[str, bool]] = []
    answer = watched_call(
        cluster.address,
        said(),
        frame,
        lambda: struck.append(strike(cluster, stage, how)),
        **kind,
    )
    ((name, was_busy),) = struck
    revive(cluster, name)
    _SERVING_SINCE[name] = time.monotonic()
    moved = any(move.detail.startswith(f"{stage}: ") for move in answer.moves)
    assert moved or not was_busy
    return answer


def check_same(answer: Watched, calm: dict[int, Watched], kind: Kind) -> None:
    """The frames of an undisturbed call; in REALTIME, whose speech never falls on the same sample
    twice, pictures that follow one another without a jump."""
    if kind is JPEG:
        assert answer.hashes == calm[types.VIDEO_ENCODING_JPEG].hashes
    elif kind is H264:
        assert least_psnr_db(answer, calm[types.VIDEO_ENCODING_H264_FMP4]) > SAME_H264_DB
    else:
        images = [picture.astype(np.int16) for picture in decoded(answer)]
        steps = [float(np.abs(b - a).mean()) for a, b in pairwise(images)]
        for move in answer.moves:
            assert steps[max(0, move.frame_index - 1)] <= 1.2 * max(steps[20:])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_kill(
    cluster: LocalCluster, calm: dict[int, Watched], tally: Tally, stage: str, moment: int
) -> None:
    kind = kind_of(moment)
    frame = int(np.random.default_rng([moment, len(stage)]).integers(-1, last_moment(stage, kind)))
    answer = lose(cluster, stage, frame, signal.SIGKILL, **kind)
    frames = len(answer.indices) if kind is REALTIME else FRAMES
    assert frames >= FRAMES
    check_whole(answer, frames)
    check_same(answer, calm, kind)
    pacing = "REALTIME" if kind is REALTIME else "FAST"
    add(tally, f"kill -9 {stage}, {pacing}", answer)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("moment", range(STOPS))
def test_stop(
    cluster: LocalCluster, calm: dict[int, Watched], tally: Tally, stage: str, moment: int
) -> None:
    seed = [moment, len(stage), 1]
    frame = int(np.random.default_rng(seed).integers(0, last_moment(stage, JPEG)))
    answer = lose(cluster, stage, frame, signal.SIGSTOP)
    check_whole(answer, FRAMES)
    check_same(answer, calm, JPEG)
    add(tally, f"SIGSTOP {stage}, FAST", answer)


def test_rolling_restart(cluster: LocalCluster, calm: dict[int, Watched], tally: Tally) -> None:
    """Three callers call again and again while every stage process is told to stop, in turn."""
    is_over = Event()

    def keep_calling(kind: Kind) -> list[Watched]:
        answers = []
        while not is_over.is_set():
            answers.append(watched_call(cluster.address, said(), **kind))
        return answers

    for stage in STAGES:
        both_serve(cluster, stage)
    kinds: list[Kind] = [{}, {}, REALTIME]
    with ThreadPoolExecutor(len(kinds)) as threads:
        calling = [threads.submit(keep_calling, kind) for kind in kinds]
        try:
            exits = {name: restart(cluster, name) for name in cluster.servers if "-" in name}
        finally:
            is_over.set()
        answers = [(kind, f.result()) for kind, f in zip(kinds, calling, strict=True)]
    print(f"\nended within {max(exits.values()):.1f} s of SIGTERM; {exits}")
    for kind, each in answers:
        for answer in each:
            check_whole(answer, len(answer.indices) if kind else FRAMES)
            assert all(move.detail.split(": ")[1].startswith(LEAVING) for move in answer.moves)
            add(tally, "rolling restart", answer)
            if not kind:
                assert least_psnr_db(answer, calm[types.VIDEO_ENCODING_JPEG]) > BATCHED_DB
    assert sum(len(answer.moves) for _, each in answers for answer in each) >= len(STAGES)


def restart(cluster: LocalCluster, name: str) -> float:
    """Stop a process as an upgrade does and start it anew; seconds that its end took."""
    began = time.monotonic()
    child = cluster.servers[name].child
    child.terminate()
    while child.exit_code is None:
        time.sleep(0.05)
    took = time.monotonic() - began
    assert child.exit_code == 0, child.tail()
    cluster.restart(name)
    cluster.wait_until_serving(name)
    time.sleep(SEEN_S)
    return took
