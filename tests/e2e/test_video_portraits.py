"""Short videos as avatars, through the whole cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest

from ditto.client import Client
from ditto.local_cluster import LocalCluster
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.e2e import speech
from tests.e2e.calling import Answer, animate, config, speak, stub
from tests.face import moving
from tests.packs.starter.renderer.driving import gap_share, measured

N = moving.FRAMES
pytestmark = pytest.mark.slow


def pictures(answer: Answer) -> list[np.ndarray]:
    return [
        cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].copy()
        for frame in answer.frames
    ]


@pytest.fixture(scope="module")
def avatar(cluster: LocalCluster) -> pb.Avatar:
    told: list[tuple[int, int]] = []
    with Client(cluster.address) as client:
        made = client.register(moving.video(), on_progress=lambda *step: told.append(step))
        assert client.avatar(made.avatar_id) == made
        assert client.register(moving.video()) == made
    assert made.source_frames == N
    assert told[-1][1] == N
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    return made


def test_head_movement_is_the_video_s_and_the_mouth_s_is_new(
    cluster: LocalCluster, avatar: pb.Avatar
) -> None:
    said = speech.part(1, 3)
    answer = animate(cluster.address, speak(config(avatar_id=avatar.avatar_id), said))
    told = answer.started.config.motion
    assert (told.head_gain, told.eye_gain) == (0, 0)
    faces = [measured(picture) for picture in pictures(answer)]
    yaw = np.array([face.frame.angles_degrees()[1] for face in faces])
    order = np.r_[0:N, N - 1 : -1 : -1]
    source = moving.turn_degrees()[np.resize(order, len(yaw))]
    assert np.corrcoef(yaw, source)[0, 1] > 0.97
    assert np.abs(np.diff(yaw)).max() < 3
    gaps = np.array([gap_share(face) for face in faces])
    still = animate(cluster.address, speak(config(avatar_id=avatar.avatar_id), bytes(len(said))))
    shut = np.array([gap_share(measured(picture)) for picture in pictures(still)])
    assert np.quantile(gaps, 0.9) > 0.03
    assert np.quantile(shut, 0.9) < 0.02  # the video's own mouth opens


def test_generated_head_movement_is_added_where_asked(
    cluster: LocalCluster, avatar: pb.Avatar
) -> None:
    def yaw(**motion: float) -> np.ndarray:
        control = types.MotionControl(**motion)
        settings = config(avatar_id=avatar.avatar_id, motion=control)
        answer = animate(cluster.address, speak(settings, speech.part(1, 2)))
        return np.array([measured(p).frame.angles_degrees()[1] for p in pictures(answer)])

    own = yaw()
    assert 3 < np.median(own - yaw(yaw_offset_degrees=6)) < 9  # to the image's right
    assert np.abs(yaw(head_gain=1) - own).max() > 0.7


def test_the_whole_picture_moves_as_the_video_and_a_call_may_bring_its_own(
    cluster: LocalCluster,
) -> None:
    settings = config(portrait=moving.video(), view=types.VIEW_FULL)
    answer = animate(cluster.address, speak(settings, speech.part(1, 2)))
    height, width = moving.pictures()[0].shape[:2]
    assert (answer.started.width, answer.started.height) == (width, height)
    for index in (1, N - 2, N + 1):
        source = moving.pictures()[min(index, 2 * N - 1 - index)]
        assert np.median(np.abs(pictures(answer)[index].astype(int) - source).mean(2)) < 4


@pytest.mark.parametrize(
    ("video", "code", "words"),
    [
        (moving.encoded(moving.pictures()[:1] * 110), "INVALID_ARGUMENT", "lasts 4.4 s"),
        (moving.video()[:2000], "INVALID_ARGUMENT", "portrait: video"),
        (
            moving.encoded((np.full((300, 300, 3), 80, np.uint8),) * 3),
            "FAILED_PRECONDITION",
            "face",
        ),
    ],
)
def test_videos_that_cannot_be_used_are_refused(
    cluster: LocalCluster, video: bytes, code: str, words: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub(cluster.address).RegisterAvatar(pb.RegisterAvatarRequest(portrait=video))
    assert caught.value.code().name == code
    assert words in caught.value.details()
    with pytest.raises(grpc.RpcError) as caught:
        list(stub(cluster.address).RegisterVideo(pb.RegisterVideoRequest(video=video)))
    assert caught.value.code().name == code


def test_the_command_line_registers_a_video(cluster: LocalCluster, tmp_path: Path) -> None:
    file = tmp_path / "nodding.mp4"
    file.write_bytes(moving.encoded(moving.pictures()[:10]))
    command = [
        sys.executable,
        "-m",
        "ditto.cli",
        "register",
        str(file),
        "--server",
        cluster.address,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    with Client(cluster.address) as client:
        assert client.avatar(done.stdout.strip()).source_frames == 10
