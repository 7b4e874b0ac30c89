"""Motion frames in place of speech: what was asked for is what the pictures show."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import cv2
import grpc
import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from ditto.motion import semantics
from ditto.motion.layout import EXPRESSION_DIM, MOTION_DIM, Motion, pack
from ditto.serving.frames import block_of
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from ditto.v1.animation_pb2 import AnimateRequest
from tests.e2e.calling import Answer, animate, config
from tests.face import example
from tests.packs.starter.renderer.driving import measured

FRAMES = 30


def turning() -> np.ndarray:
    """(T, 265) a head that turns to 10 degrees and back, lids shut in the middle."""
    wave = np.sin(np.linspace(0, np.pi, FRAMES)).astype(np.float32)
    zero = np.zeros(FRAMES, np.float32)
    exp = np.zeros((FRAMES, EXPRESSION_DIM), np.float32)
    exp += wave[:, None] * semantics.control_matrix()[semantics.control_index("lipGap")]
    still = np.zeros((FRAMES, 3), np.float32)
    return pack(Motion(zero + 1, zero, 10 * wave, zero, still, exp))


def requests(track: np.ndarray, **fields: object) -> Iterator[AnimateRequest]:
    settings = config(driving=types.DRIVING_MOTION, **fields)
    yield AnimateRequest(config=settings)
    for first in range(0, len(track), 8):
        yield AnimateRequest(motion=block_of(first, track[first : first + 8]))


def measured_yaw(frame: pb.VideoFrame) -> float:
    image = cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR)
    return measured(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).frame.angles_degrees()[1]


def test_the_head_turns_as_the_motion_says_and_controls_shape_it(cluster: LocalCluster) -> None:
    assert example.task_path().exists()
    plain: Answer = animate(cluster.address, requests(turning()))
    assert [frame.index for frame in plain.frames] == list(range(FRAMES))
    assert 5 < measured_yaw(plain.frames[15]) - measured_yaw(plain.frames[0]) < 15
    held = types.MotionControl(head_gain=0)
    frozen = animate(cluster.address, requests(turning(), motion=held))
    assert abs(measured_yaw(frozen.frames[15]) - measured_yaw(frozen.frames[0])) < 2


def test_motion_makes_a_file_too(cluster: LocalCluster) -> None:
    encoding = types.VIDEO_ENCODING_H264_FMP4
    answer = animate(cluster.address, requests(turning(), encoding=encoding))
    with av.open(io.BytesIO(answer.file)) as file:
        assert sum(1 for _ in file.decode(video=0)) == FRAMES


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (AnimateRequest(motion=types.FrameBlock(dim=3, data=bytes(12))), "motion.dim"),
        (AnimateRequest(motion=types.FrameBlock(dim=MOTION_DIM, data=b"abc")), "motion.data"),
        (AnimateRequest(motion=block_of(4, turning()[:2])), "motion.first_frame"),
        (AnimateRequest(motion=block_of(0, np.full((1, 265), np.nan, np.float32))), "motion.data"),
    ],
)
def test_unusable_motion_is_refused_by_field(
    cluster: LocalCluster, bad: AnimateRequest, field: str
) -> None:
    first = AnimateRequest(config=config(driving=types.DRIVING_MOTION))
    with pytest.raises(grpc.RpcError) as caught:
        animate(cluster.address, [first, bad])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()


def test_speech_and_motion_do_not_mix(cluster: LocalCluster) -> None:
    settings = AnimateRequest(config=config(driving=types.DRIVING_MOTION))
    with pytest.raises(grpc.RpcError) as caught:
        animate(cluster.address, [settings, AnimateRequest(audio=bytes(640))])
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
