"""REALTIME: frames come when they are due, with speech, with a pause, and after an interruption."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from ditto.v1 import animation_pb2 as pb
from ditto.v1.types_pb2 import PACING_REALTIME
from tests.e2e import speech
from tests.e2e.calling import TIMEOUT_S, Answer, animate, config, stub

PIECE_S = 0.1


def live(said: bytes, pause_s: float = 0) -> Iterator[pb.AnimateRequest]:
    """Speech at the pace of a microphone, with a pause of the caller in the middle."""
    yield pb.AnimateRequest(config=config(pacing=PACING_REALTIME))
    piece = round(PIECE_S * speech.RATE_HZ) * 2
    due = time.monotonic()
    for start in range(0, len(said), piece):
        due += PIECE_S + (pause_s if start == len(said) // 2 // piece * piece else 0)
        time.sleep(max(0, due - time.monotonic()))
        yield pb.AnimateRequest(audio=said[start : start + piece])


def timed(address: str, requests: Iterator[pb.AnimateRequest]) -> tuple[Answer, np.ndarray]:
    """The answer and the arrival of each frame after its due time, the earliest at 0, in ms."""
    answer, arrivals = Answer(), []
    for response in stub(address).Animate(requests, timeout=TIMEOUT_S):
        answer.take(response)
        if response.WhichOneof("response") == "frame":
            arrivals.append(1000 * time.monotonic() - response.frame.pts_us / 1000)
    return answer, np.array(arrivals) - min(arrivals)


def punctual(cluster: LocalCluster, start_s: float, end_s: float, pause_s: float = 0) -> Answer:
    """A call whose frames came in time; a busy machine gets three tries."""
    worst_ms = []
    for _ in range(3):
        requests = live(speech.part(start_s, end_s), pause_s)
        answer, late_ms = timed(cluster.address, requests)
        worst_ms.append(np.percentile(late_ms, 95))
        if worst_ms[-1] < 150:
            return answer
    pytest.fail(f"frames were late in every call: 95th percentiles {worst_ms} ms")


@pytest.fixture(autouse=True)
def warm(cluster: LocalCluster) -> None:
    """The portrait is prepared before the clock runs."""
    animate(
        cluster.address, [pb.AnimateRequest(config=config()), pb.AnimateRequest(audio=bytes(6400))]
    )


def test_frames_arrive_when_they_are_due(cluster: LocalCluster) -> None:
    answer = punctual(cluster, 1, 4)
    assert len(answer.frames) >= 75
    assert [frame.index for frame in answer.frames] == list(range(len(answer.frames)))


def test_a_pause_of_the_caller_is_filled_with_a_living_face(cluster: LocalCluster) -> None:
    answer = punctual(cluster, 1, 3, pause_s=1.0)
    assert len(answer.frames) >= 70
    assert len(set(answer.hashes)) > 0.9 * len(answer.frames), "the picture stands still"
