"""Controls while a call runs, and the face while nobody speaks: measured on the pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import grpc
import numpy as np
import pytest

from ditto.face.eye_state import eye_open
from ditto.local_cluster import LocalCluster
from ditto.packs.starter.renderer.geometry import FaceGeometry
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.e2e import speech
from tests.e2e.calling import animate, config
from tests.face import example

RATE = 16_000


@dataclass
class Faces:
    """What each picture shows."""

    pose: np.ndarray
    """(T, 3) degrees."""
    gap: np.ndarray
    """(T,) inner-lip gap over the face's height."""
    lids: np.ndarray
    """(T,) how open the eyes are."""


def faces(frames: list[pb.VideoFrame]) -> Faces:
    """Every picture measured, each face followed from the one before."""
    points, pose, gap, lids = None, [], [], []
    for frame in frames:
        bgr = cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR)
        image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        if points is None:
            points = example.mesh_of(image)
        points = example.landmarker().refine(image, points).points
        face = FaceGeometry(points)
        pose.append(face.frame.angles_degrees())
        gap.append(np.linalg.norm(face.head_mm[13] - face.head_mm[14]) / face.frame.face_height_mm)
        lids.append(eye_open(points[None])[0].mean())
    return Faces(np.array(pose), np.array(gap), np.array(lids))


def talk(seconds: float, *controls: types.MotionControl, **fields: object) -> Iterator[object]:
    yield pb.AnimateRequest(config=config(seed=5, **fields))
    for control in controls:
        yield pb.AnimateRequest(control=control)
    yield pb.AnimateRequest(audio=speech.part(1, 1 + seconds))


def test_a_control_from_a_frame_on_takes_effect_there_and_is_eased(cluster: LocalCluster) -> None:
    turn = types.MotionControl(from_frame=30, yaw_offset_degrees=10)
    plain = faces(animate(cluster.address, talk(2.4)).frames).pose[:, 1]
    turned = faces(animate(cluster.address, talk(2.4, turn)).frames).pose[:, 1]
    change = plain - turned  # the picture's right is negative here
    assert np.abs(change[:30]).max() < 0.2
    assert np.abs(change[31:36]).max() > 0.5  # within one segment
    assert 6 < np.median(change[42:]) < 14
    assert np.abs(np.diff(change)).max() < 3.5  # 10 degrees eased over 10 frames; a jump is 10


def test_a_frozen_mouth_does_not_move_while_the_head_does(cluster: LocalCluster) -> None:
    still = types.MotionControl(mouth_gain=0, expression_gain=0)
    held = faces(animate(cluster.address, talk(2.4, motion=still)).frames)
    free = faces(animate(cluster.address, talk(2.4)).frames)
    assert np.ptp(held.gap) < 0.35 * np.ptp(free.gap)
    assert np.ptp(held.pose, axis=0).max() > 0.5


def test_a_blink_on_demand_shuts_the_eyes(cluster: LocalCluster) -> None:
    never = types.MotionControl(blinks_per_minute=0)
    blink = types.MotionControl(from_frame=25, blink_now_frames=12)
    lids = faces(animate(cluster.address, talk(2.0, blink, motion=never)).frames).lids
    usual = np.median(lids)
    assert lids[26:37].min() < 0.6 * usual
    assert lids[:24].min() > 0.8 * usual
    assert lids[40:].min() > 0.8 * usual


def test_emotions_may_be_scheduled(cluster: LocalCluster) -> None:
    happy = types.MotionControl(from_frame=25, emotion=types.EMOTION_HAPPY)
    plain = animate(cluster.address, talk(2.4)).hashes
    scheduled = animate(cluster.address, talk(2.4, happy)).hashes
    assert scheduled[:25] == plain[:25]
    assert sum(a != b for a, b in zip(scheduled[31:], plain[31:], strict=True)) > 20


@pytest.mark.parametrize(
    ("control", "name"),
    [
        (types.MotionControl(lips_gain=3), "control.lips_gain"),
        (types.MotionControl(gaze=types.GazeTarget(yaw_degrees=40)), "control.gaze.yaw_degrees"),
        (types.MotionControl(look_away=types.LookAway(max_degrees=50)), "look_away.max_degrees"),
        (types.MotionControl(blendshapes={"jawOpen": 2}), "blendshapes"),
        (types.MotionControl(emotion=77), "control.emotion"),
        (types.MotionControl(from_frame=-1), "control.from_frame"),
    ],
)
def test_bad_values_are_refused_by_name(
    cluster: LocalCluster, control: types.MotionControl, name: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        animate(cluster.address, talk(0.5, control))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert name in caught.value.details()


def idle(seconds: float, sound: bytes = b"") -> Iterator[pb.AnimateRequest]:
    """Nothing is said for a while; then, perhaps, something."""
    yield pb.AnimateRequest(config=config(pacing=types.PACING_REALTIME, seed=9))
    time.sleep(seconds)
    if sound:
        yield pb.AnimateRequest(audio=sound)
        time.sleep(len(sound) / 2 / RATE + 1.5)


@pytest.mark.slow
def test_without_speech_the_face_is_alive_and_its_mouth_is_shut(cluster: LocalCluster) -> None:
    answer = animate(cluster.address, idle(4.5, speech.part(1, 2.5)))
    started = next(e for e in answer.events if e.kind == pb.EVENT_KIND_SPEECH_STARTED)
    ended = next(e for e in answer.events if e.kind == pb.EVENT_KIND_SPEECH_ENDED)
    numbers = np.array([frame.index for frame in answer.frames])
    seen = faces(answer.frames)
    quiet, spoken = numbers < started.frame_index, numbers >= started.frame_index
    assert quiet.sum() > 60
    assert np.quantile(seen.gap[quiet], 0.95) < 0.025
    assert seen.gap[spoken].max() > 0.04
    sway = seen.pose[quiet].std(axis=0).max()
    assert 0.1 < sway < 4  # breathing-scale, not a statue and not a nod
    assert seen.lids[quiet].min() < 0.7 * np.median(seen.lids)  # a blink
    steps = np.abs(np.diff(seen.pose, axis=0)).max(axis=1)
    for frame in (started.frame_index, ended.frame_index):
        near = np.abs(numbers[1:] - frame) <= 4
        assert steps[near].max(initial=0) < max(2.0, 1.5 * np.quantile(steps, 0.98))


@pytest.mark.slow
def test_noise_that_is_no_speech_leaves_the_mouth_shut(cluster: LocalCluster) -> None:
    noise = np.random.default_rng(4).normal(0, 0.02, 3 * RATE).clip(-1, 1)
    requests = [
        pb.AnimateRequest(config=config(seed=2)),
        pb.AnimateRequest(audio=speech.s16le(noise)),
    ]
    seen = faces(animate(cluster.address, requests).frames)
    print(f"gap in noise: median {np.median(seen.gap):.3f}, max {seen.gap.max():.3f}")
    assert np.median(seen.gap) < 0.025
    assert np.quantile(seen.gap, 0.95) < 0.04
