"""A gateway is killed at random moments of long calls, or stopped; its calls go on at the other.

Prints the table of docs/reliability.md. Every call speaks for 20 seconds; a moment is the frame
that has just come to the caller, chosen by a seeded generator. Every other call is made with the
client for asyncio.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from tests.e2e.failing import psnr_db
from tests.e2e.gateway_losses import (
    Resumed,
    call,
    check_whole,
    either_client,
    live,
    revive,
    strike,
    two_gateways,
)
from tests.e2e.moments import (
    FRAMES,
    MOMENTS,
    SAME_H264_DB,
    Tally,
    least_db,
    printed,
    said,
    total,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STOPS = 4
SAME_SOUND = 0.999
"""Least correlation of the decoded sound with that of the calm call."""
JPEG: dict[str, Any] = {}
H264 = {"video": "mp4"}
RGB = {"video": "rgb24"}
REALTIME = {"pacing": "realtime"}


def kind_of(moment: int) -> dict[str, Any]:
    """Of 20 moments 9 in FAST calls of JPEG, 5 of MP4, 1 of RGB24, 5 in REALTIME."""
    if moment == 0:
        return RGB
    return {1: H264, 3: REALTIME}.get(moment % 4, JPEG)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    with printed(Tally(lost=total, doubled=total, psnr=least_db)) as results:
        yield results


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with two_gateways() as running:
        yield running


@pytest.fixture(scope="module")
def calm(cluster: LocalCluster) -> dict[str, Resumed]:
    """Undisturbed calls by format."""
    kinds = (JPEG, H264, RGB)
    return {str(kind): call(cluster.address, said(), **kind) for kind in kinds}


def lose(
    cluster: LocalCluster, moment: int, frame: int, how: signal.Signals, kind: dict[str, Any]
) -> Resumed:
    """A call whose gateway gets a signal."""
    names = cluster.gateways[:: -1 if moment % 3 == 0 else 1]
    target = ",".join(cluster.servers[name].address for name in names)
    source = live(said()) if kind is REALTIME else said()
    try:
        return either_client(
            moment % 2 == 1, target, source, frame, lambda: strike(cluster, names[0], how), **kind
        )
    finally:
        revive(cluster, names[0])


def least_psnr_db(taken: Resumed, calm: Resumed, kind: dict[str, Any]) -> float:
    """Of the worst picture against that of the calm call; 100 where all are equal."""
    if kind is not H264:
        return 100.0 if taken.hashes == calm.hashes else 0.0
    pairs = zip(taken.pictures(), calm.pictures(), strict=True)
    return min(psnr_db(one, other) for one, other in pairs)


def sounds_alike(taken: Resumed, calm: Resumed) -> float:
    """Correlation of the decoded sound, which must be as long."""
    one, other = taken.sound(), calm.sound()
    assert one.shape == other.shape
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_kill(cluster: LocalCluster, calm: dict[str, Resumed], tally: Tally, moment: int) -> None:
    kind = kind_of(moment)
    frame = int(np.random.default_rng([moment, 5]).integers(-1, FRAMES - 25))
    taken = lose(cluster, moment, frame, signal.SIGKILL, kind)
    name = "REALTIME, JPEG" if kind is REALTIME else f"FAST, {kind.get('video', 'jpeg').upper()}"
    check_same(f"kill -9 gateway, {name}", taken, calm, tally, kind)


@pytest.mark.parametrize("moment", range(STOPS))
def test_stop(cluster: LocalCluster, calm: dict[str, Resumed], tally: Tally, moment: int) -> None:
    frame = int(np.random.default_rng([moment, 6]).integers(0, FRAMES - 50))
    taken = lose(cluster, moment, frame, signal.SIGSTOP, JPEG)
    check_same("SIGSTOP gateway, FAST, JPEG", taken, calm, tally, JPEG)


def check_same(
    what: str, taken: Resumed, calm: dict[str, Resumed], tally: Tally, kind: dict[str, Any]
) -> None:
    """All frames of the call, and those of an undisturbed one where both hear the same."""
    frames = max(FRAMES, len(set(taken.indices))) if kind is REALTIME else FRAMES
    came = len(set(taken.indices))
    gaps_ms = [move.gap_ms for move in taken.moves]
    tally.add(what, gaps_ms, lost=frames - came, doubled=len(taken.indices) - came)
    check_whole(taken, frames)
    assert len(taken.moves) == 1
    if kind is REALTIME:  # silence is added where this machine is late, none for the gap
        assert frames <= FRAMES + 25
        return
    psnr = least_psnr_db(taken, calm[str(kind)], kind)
    tally.note(what, psnr=psnr)
    assert psnr > SAME_H264_DB
    if kind is H264:
        assert sounds_alike(taken, calm[str(kind)]) > SAME_SOUND
