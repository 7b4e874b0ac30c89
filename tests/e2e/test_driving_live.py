"""Motion in real time: paced, idling where none comes, joined smoothly, without an encoder."""

from __future__ import annotations

import time
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from ditto.motion.layout import EXPRESSION_DIM, Motion, pack
from ditto.serving.frames import block_of
from ditto.v1 import stage_status_pb2
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2 import AnimateRequest, AnimateResponse
from ditto.v1.stage_status_pb2_grpc import StageStatusServiceStub
from tests.e2e.calling import TIMEOUT_S, Answer, animate, config, stub
from tests.e2e.test_driving_by_motion import measured_yaw, requests, turning

SENT_S, GAP_S, BLOCK = 1.2, 1.6, 6
pytestmark = pytest.mark.slow


def swinging(frames: int) -> np.ndarray:
    """(T, 265) a head that swings to 10 degrees and ends there."""
    yaw = (10 * np.sin(np.linspace(0, 2.5 * np.pi, frames))).astype(np.float32)
    zero = np.zeros(frames, np.float32)
    still = np.zeros((frames, 3), np.float32)
    exp = np.zeros((frames, EXPRESSION_DIM), np.float32)
    return pack(Motion(zero + 1, zero, yaw, zero, still, exp))


def live(track: np.ndarray) -> Iterator[AnimateRequest]:
    """Half of the motion at its pace, a gap, the other half."""
    yield AnimateRequest(config=config(driving=types.DRIVING_MOTION, pacing=types.PACING_REALTIME))
    due = time.monotonic()
    for first in range(0, len(track), BLOCK):
        yield AnimateRequest(motion=block_of(first, track[first : first + BLOCK]))
        due += BLOCK / 25 + (GAP_S if first == len(track) // 2 // BLOCK * BLOCK else 0)
        time.sleep(max(0, due - time.monotonic()))


def live_sessions(cluster: LocalCluster, stage: str) -> int:
    address = next(a for name, a in addresses(cluster).items() if name.startswith(stage))
    with grpc.insecure_channel(address) as channel:
        request = stage_status_pb2.GetStageStatusRequest()
        return StageStatusServiceStub(channel).GetStageStatus(request).live_sessions


def addresses(cluster: LocalCluster) -> dict[str, str]:
    return {name: server.address for name, server in cluster.servers.items()}


@pytest.fixture(scope="module")
def answer(cluster: LocalCluster) -> tuple[Answer, list[float], dict[str, int]]:
    """A call, when each frame came, and the sessions that were live in its middle."""
    animate(cluster.address, requests(turning()[:4]))  # prepares the portrait
    made, arrivals, sessions = Answer(), [], {}
    track = swinging(round(2 * SENT_S * 25))
    call = stub(cluster.address).Animate(live(track), timeout=TIMEOUT_S)
    response: AnimateResponse
    for response in call:
        made.take(response)
        if response.WhichOneof("response") == "frame":
            arrivals.append(time.monotonic() - response.frame.pts_us / 1e6)
        if len(made.frames) == 20 and not sessions:
            stages = ("audio_encoder", "motion_dit", "renderer")
            sessions = {stage: live_sessions(cluster, stage) for stage in stages}
    return made, arrivals, sessions


def test_no_encoder_takes_part(answer: tuple[Answer, list[float], dict[str, int]]) -> None:
    made, _, sessions = answer
    assert sessions == {"audio_encoder": 0, "motion_dit": 1, "renderer": 1}
    computed = {module.module: module.compute_ms for module in made.stats.modules}
    assert computed["audio_encoder"] == 0
    assert computed["renderer"] > 0


def test_frames_come_at_their_pace_and_the_gap_is_filled(
    answer: tuple[Answer, list[float], dict[str, int]],
) -> None:
    made, arrivals, _ = answer
    assert [frame.index for frame in made.frames] == list(range(len(made.frames)))
    assert len(made.frames) == pytest.approx((2 * SENT_S + GAP_S) * 25, abs=12)
    assert (
        min(np.array(arrivals) - arrivals[0]) > -0.3
    )  # never before its time; a busy machine is late
    assert len(set(made.hashes)) > 0.95 * len(made.frames)


def test_the_face_idles_in_the_gap_and_goes_on_without_a_jump(
    answer: tuple[Answer, list[float], dict[str, int]],
) -> None:
    yaw = np.array([measured_yaw(frame) for frame in answer[0].frames])
    sent = np.abs(np.diff(10 * np.sin(np.linspace(0, 2.5 * np.pi, 60)))).max()
    assert np.abs(np.diff(yaw)).max() < 2.5 * sent
    gap = yaw[round((SENT_S + 0.7) * 25) : round((SENT_S + GAP_S - 0.3) * 25)]
    assert np.ptp(gap) < 4  # it sways, and does not swing
    assert np.ptp(yaw) > 12
