"""What cannot be used is refused with the field, the reason and the range; the server is well."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Answer, Cluster, animate, config, speech, tone, video

INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
WAV = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)


async def _assert_well(cluster: Cluster) -> None:
    assert await cluster.all_slots_free()
    answer = await animate(cluster, [config(), *speech(tone(0.1))])
    assert answer.error is None
    assert len(answer.frames) == 3


def _assert_refused(answer: Answer, code: grpc.StatusCode, *words: str) -> None:
    assert answer.error is not None
    assert answer.error.code() is code
    for word in words:
        assert word in answer.error.details()
    assert "Traceback" not in answer.error.details()


@pytest.mark.parametrize(
    ("settings", "field", "allowed"),
    [
        ({"portrait": b""}, "portrait", "1 to 20971520"),
        ({"portrait": bytes(20 * 2**20 + 1)}, "portrait", "1 to 20971520"),
        ({"audio_format": {"sample_rate_hz": 3999}}, "audio_format.sample_rate_hz", "4000"),
        ({"audio_format": {"sample_rate_hz": 192_001}}, "audio_format.sample_rate_hz", "192000"),
        ({"audio_format": {"channels": 9}}, "audio_format.channels", "1 to 8"),
        ({"audio_format": {"encoding": 77}}, "audio_format.encoding", "S16LE"),
        ({"video_format": {"encoding": 77}}, "video_format.encoding", "JPEG"),
        ({"video_format": {"quality": 101}}, "video_format.quality", "1 to 100"),
        ({"view": 9}, "view", "VIEW_FULL"),
        ({"pacing": 9}, "pacing", "PACING_FAST"),
        ({"emotion": 9}, "emotion", "EMOTION_HAPPY"),
        ({"emotion_intensity": 1.5}, "emotion_intensity", "0 to 1"),
        ({"emotion_intensity": float("nan")}, "emotion_intensity", "0 to 1"),
        ({"sampling_steps": 0}, "sampling_steps", "1 to 50"),
        ({"sampling_steps": 51}, "sampling_steps", "1 to 50"),
        ({"pack": "sculptor"}, "pack", "starter"),
        ({"frame_rate": 30}, "frame_rate", "25"),
        ({"motion": {"mouth_gain": 2.5}}, "motion.mouth_gain", "0 to 2"),
        ({"motion": {"pitch_offset_degrees": -21}}, "motion.pitch_offset_degrees", "-20 to 20"),
        ({"motion": {"yaw_offset_degrees": 26}}, "motion.yaw_offset_degrees", "-25 to 25"),
        ({"motion": {"from_frame": -1}}, "motion.from_frame", "0"),
        (
            {
                "video_format": video("RGB24"),
                "view": types.VIEW_FULL,
                "pacing": types.PACING_REALTIME,
            },
            "video_format.encoding",
            "JPEG",
        ),
    ],
)
async def test_a_setting_out_of_range(
    cluster: Cluster, settings: dict[str, Any], field: str, allowed: str
) -> None:
    answer = await animate(cluster, [config(**settings), *speech(tone(0.1))])
    _assert_refused(answer, INVALID, f"{field}: ", allowed)
    assert answer.trailers["ditto-error"] == "InvalidInputError"
    assert answer.trailers["ditto-error-field"] == field
    assert not cluster.stages["renderer"][0].prepared
    await _assert_well(cluster)


async def test_no_avatar(cluster: Cluster) -> None:
    answer = await animate(cluster, [pb.AnimateRequest(config=pb.AnimateConfig())])
    _assert_refused(answer, INVALID, "avatar", "portrait or avatar_id")


async def test_an_unknown_avatar(cluster: Cluster) -> None:
    for avatar_id in ("0" * 32, "../secret", "x"):
        answer = await animate(cluster, [config(avatar_id=avatar_id), *speech(tone(0.1))])
        _assert_refused(answer, grpc.StatusCode.NOT_FOUND, "avatar")
    await _assert_well(cluster)


async def test_a_portrait_without_a_face(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(portrait=b"no face here"), *speech(tone(0.1))])
    _assert_refused(answer, PRECONDITION, "no face was found")
    assert answer.trailers["ditto-error"] == "FaceError"
    await _assert_well(cluster)


async def test_a_token_that_nobody_made(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(resume=pb.Resume(token=b"x"))])
    _assert_refused(answer, grpc.StatusCode.INVALID_ARGUMENT, "resume.token")


@pytest.mark.parametrize(
    "requests",
    [
        [],
        speech(tone(0.1)),
        [pb.AnimateRequest(control=types.MotionControl(mouth_gain=1)), config()],
        [pb.AnimateRequest(interrupt=pb.Interrupt())],
        [pb.AnimateRequest()],
    ],
    ids=["nothing", "audio", "control", "interrupt", "empty"],
)
async def test_config_must_come_first(cluster: Cluster, requests: list[pb.AnimateRequest]) -> None:
    _assert_refused(await animate(cluster, requests), PRECONDITION, "config", "first")
    await _assert_well(cluster)


async def test_config_must_come_once(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(), *speech(tone(0.4)), config()])
    _assert_refused(answer, PRECONDITION, "config", "once")
    await _assert_well(cluster)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.AnimateRequest(), "request"),
        (pb.AnimateRequest(audio=b""), "audio"),
        (pb.AnimateRequest(audio=bytes(2**20 + 2)), "audio"),
        (pb.AnimateRequest(control=types.MotionControl(head_gain=-1)), "control.head_gain"),
        (
            pb.AnimateRequest(interrupt=pb.Interrupt(last_played_frame_index=-1)),
            "interrupt.last_played_frame_index",
        ),
    ],
)
async def test_a_message_that_cannot_be_used(
    cluster: Cluster, message: pb.AnimateRequest, field: str
) -> None:
    answer = await animate(cluster, [config(), *speech(tone(0.2)), message])
    _assert_refused(answer, INVALID, f"{field}: ")
    assert answer.started.call_id
    await _assert_well(cluster)


@pytest.mark.parametrize("audio_format", [types.AudioFormat(), WAV], ids=["pcm", "wav"])
async def test_no_speech_at_all(cluster: Cluster, audio_format: types.AudioFormat) -> None:
    answer = await animate(cluster, [config(audio_format=audio_format)])
    _assert_refused(answer, INVALID, "audio: ")
    await _assert_well(cluster)


@pytest.mark.parametrize(
    "file",
    [
        b"RIFF",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"garbage that is no sound at all" * 100,
        b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x55\x00\x01\x00" + bytes(40),
    ],
    ids=["cut", "cut later", "garbage", "mp3 in wav"],
)
async def test_a_broken_wav_file(cluster: Cluster, file: bytes) -> None:
    answer = await animate(cluster, [config(audio_format=WAV), *speech(file)])
    _assert_refused(answer, INVALID, "audio: ")
    await _assert_well(cluster)


async def test_float_speech_with_nan(cluster: Cluster) -> None:
    audio_format = types.AudioFormat(encoding=types.AUDIO_ENCODING_F32LE)
    answer = await animate(
        cluster, [config(audio_format=audio_format), *speech(b"\x00\x00\xc0\x7f" * 100)]
    )
    _assert_refused(answer, INVALID, "audio: ", "NaN")
    await _assert_well(cluster)


async def test_bytes_that_are_no_message(cluster: Cluster) -> None:
    async with grpc.aio.insecure_channel(cluster.address) as channel:
        call = channel.stream_stream("/ditto.v1.AnimationService/Animate")(iter([b"\xff\xff\xff"]))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call.read()
    assert refusal.value.code() is INVALID
    await _assert_well(cluster)
