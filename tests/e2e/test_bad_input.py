"""What cannot be used is refused with the right status and a mend, and the server stays well."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator

import grpc
import pytest

from ditto.local_cluster import LocalCluster
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2
from tests.e2e import portraits, speech
from tests.e2e.calling import animate, config, speak, stub

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
JPEG = portraits.encoded(portraits.astronaut(), "JPEG", quality=95)

PORTRAITS = {
    "no face": (portraits.no_face(), PRECONDITION, "no face"),
    "two faces": (portraits.two_faces(), PRECONDITION, "2 faces"),
    "tiny face": (portraits.tiny_face(), PRECONDITION, r"face is \d+ pixels high"),
    "turned away": (portraits.turned_away(), PRECONDITION, r"turned \d+ degrees"),
    "text": (b"this is no picture at all", INVALID, "portrait: "),
    "nothing": (b"", INVALID, "portrait: "),
    "truncated jpeg": (JPEG[: len(JPEG) // 2], INVALID, "portrait: .*(damaged|incomplete)"),
    "truncated png": (portraits.sixteen_bit()[:5000], INVALID, "portrait: .*(damaged|incomplete)"),
    "gif": (portraits.encoded(portraits.astronaut(), "GIF"), INVALID, "portrait: .*JPEG, PNG"),
    "bomb": (portraits.bomb(), INVALID, "portrait: .*pixels"),
    "too many bytes": (bytes(21 << 20), INVALID, "portrait: .*bytes"),
}

FORMATS = {
    "audio rate": ({"audio_format": types_pb2.AudioFormat(sample_rate_hz=1000)}, "sample_rate_hz"),
    "audio channels": ({"audio_format": types_pb2.AudioFormat(channels=9)}, "channels"),
    "audio encoding": ({"audio_format": types_pb2.AudioFormat(encoding=99)}, "encoding"),
    "video encoding": ({"encoding": 99}, "encoding"),
    "quality": ({"video_format": types_pb2.VideoFormat(quality=101)}, "quality"),
    "view": ({"view": 9}, "view"),
    "pacing": ({"pacing": 9}, "pacing"),
    "emotion": ({"emotion": 99}, "emotion"),
    "emotion intensity": ({"emotion_intensity": 1.5}, "emotion_intensity"),
    "not a number": ({"emotion_intensity": float("nan")}, "emotion_intensity"),
    "sampling steps": ({"sampling_steps": 51}, "sampling_steps"),
    "frame rate": ({"frame_rate": 30}, "frame_rate"),
    "pack": ({"pack": "nobody"}, "pack"),
    "gain": ({"motion": types_pb2.MotionControl(mouth_gain=3)}, "mouth_gain"),
    "offset": ({"motion": types_pb2.MotionControl(yaw_offset_degrees=-90)}, "yaw_offset_degrees"),
    "raw full in real time": (
        {
            "encoding": types_pb2.VIDEO_ENCODING_RGB24,
            "view": types_pb2.VIEW_FULL,
            "pacing": types_pb2.PACING_REALTIME,
        },
        "view|video_format|encoding",
    ),
}

WAVS = {
    "not a wav": b"JUNK" * 100,
    "a-law": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 6, 1, 8000, 8000, 1, 8),
    "header cut": speech.wav(16, 0.1)[:30],
}


@pytest.fixture(autouse=True)
def healthy(cluster: LocalCluster) -> Iterator[None]:
    """After each of them an ordinary call works as before, and no process has died."""
    yield
    answer = animate(cluster.address, speak(config(), speech.part(1.0, 1.4)))
    assert len(answer.frames) == 10
    assert all(child.exit_code is None for child in cluster.children())


def refused(cluster: LocalCluster, *requests: pb.AnimateRequest) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as failure:
        animate(cluster.address, requests)
    assert "Traceback" not in failure.value.details()
    assert "internal error" not in failure.value.details()
    return failure.value


@pytest.mark.parametrize("name", PORTRAITS)
def test_portraits(cluster: LocalCluster, name: str) -> None:
    data, status, words = PORTRAITS[name]
    error = refused(cluster, *speak(config(portrait=data), speech.part(1.0, 1.4)))
    assert error.code() is status, error.details()
    assert re.search(words, error.details()), error.details()


@pytest.mark.parametrize("name", ["no face", "text"])
def test_portraits_at_registration(cluster: LocalCluster, name: str) -> None:
    data, status, _ = PORTRAITS[name]
    with pytest.raises(grpc.RpcError) as failure:
        stub(cluster.address).RegisterAvatar(pb.RegisterAvatarRequest(portrait=data), timeout=30)
    assert failure.value.code() is status


@pytest.mark.parametrize("name", FORMATS)
def test_settings(cluster: LocalCluster, name: str) -> None:
    fields, named = FORMATS[name]
    error = refused(cluster, *speak(config(**fields), speech.part(1.0, 1.4)))
    assert error.code() in (INVALID, grpc.StatusCode.UNIMPLEMENTED), error.details()
    assert re.search(named, error.details()), error.details()


@pytest.mark.parametrize("name", WAVS)
def test_wav_files(cluster: LocalCluster, name: str) -> None:
    wav = types_pb2.AudioFormat(encoding=types_pb2.AUDIO_ENCODING_WAV)
    error = refused(cluster, *speak(config(audio_format=wav), WAVS[name]))
    assert error.code() is INVALID
    assert "WAV" in error.details()


def test_samples_that_are_no_numbers(cluster: LocalCluster) -> None:
    floats = types_pb2.AudioFormat(encoding=types_pb2.AUDIO_ENCODING_F32LE)
    error = refused(cluster, *speak(config(audio_format=floats), b"\0\0\xc0\x7f" * 16_000))
    assert error.code() is INVALID
    assert "audio" in error.details()


def test_an_unknown_avatar(cluster: LocalCluster) -> None:
    error = refused(cluster, *speak(config(avatar_id="nobody"), speech.part(1.0, 1.4)))
    assert error.code() is grpc.StatusCode.NOT_FOUND


def test_no_avatar_at_all(cluster: LocalCluster) -> None:
    error = refused(cluster, pb.AnimateRequest(config=pb.AnimateConfig()))
    assert error.code() is INVALID
    assert "avatar" in error.details() or "portrait" in error.details()


def test_audio_before_config(cluster: LocalCluster) -> None:
    error = refused(cluster, pb.AnimateRequest(audio=bytes(100)))
    assert error.code() is PRECONDITION
    assert "config" in error.details()


def test_config_twice(cluster: LocalCluster) -> None:
    request = pb.AnimateRequest(config=config())
    error = refused(cluster, request, request)
    assert error.code() is PRECONDITION
    assert "config" in error.details()


def test_an_empty_message(cluster: LocalCluster) -> None:
    error = refused(cluster, pb.AnimateRequest(config=config()), pb.AnimateRequest())
    assert error.code() in (INVALID, PRECONDITION)


def test_no_message_at_all(cluster: LocalCluster) -> None:
    assert refused(cluster).code() is PRECONDITION


def test_no_speech_at_all(cluster: LocalCluster) -> None:
    error = refused(cluster, pb.AnimateRequest(config=config()))
    assert error.code() is INVALID
    assert "audio" in error.details()


def test_an_audio_message_that_is_too_long(cluster: LocalCluster) -> None:
    error = refused(cluster, *speak(config(), bytes((1 << 20) + 2), message_bytes=1 << 21))
    assert error.code() is INVALID
    assert "audio" in error.details()


def test_a_caller_that_falls_silent(cluster: LocalCluster) -> None:
    def hesitant() -> Iterator[pb.AnimateRequest]:
        yield pb.AnimateRequest(config=config())
        time.sleep(7)

    with pytest.raises(grpc.RpcError) as failure:
        animate(cluster.address, hesitant())
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
