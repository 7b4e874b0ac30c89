"""Broken calls to the gateway, through both of its doors, before stages that take anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.fuzz.answered import Answers, answers_to
from tests.fuzz.messages import Stream, streams
from tests.fuzz.stage_streams import control, pcm, wav_file
from tests.gateway.cluster import Cluster, animate, config, running_cluster, speech, tone

COUNTS = [100, pytest.param(5000, marks=pytest.mark.slow)]
MEMORY_BYTES = 300 << 20
_LIMITS = {"idle_seconds": 1.0, "handshake_timeout_seconds": 1.0, "speech_seconds": 20.0}


async def _assert_well(cluster: Cluster, answers: Answers) -> None:
    assert not answers.untyped, "\n".join(answers.untyped[:5])
    assert answers.statuses["OK"]
    assert len(answers.statuses) >= 3
    assert answers.grown_bytes < MEMORY_BYTES
    assert await cluster.all_slots_free()
    answer = await animate(cluster, [config(), *speech(tone(0.4))])
    assert answer.error is None
    assert len(answer.frames) == 10


@pytest.mark.parametrize("count", COUNTS)
async def test_animate(tmp_path: Path, count: int) -> None:
    async with running_cluster(tmp_path, slots=8, **_LIMITS) as cluster:
        cases = streams(_calls(), count, seed=4)
        method = "/ditto.v1.AnimationService/Animate"
        await _assert_well(cluster, await answers_to(cluster.address, method, cases))


@pytest.mark.parametrize("count", COUNTS)
async def test_audio2face2d(tmp_path: Path, count: int) -> None:
    async with running_cluster(tmp_path, slots=8, **_LIMITS) as cluster:
        cases = streams(_foreign_calls(), count, seed=5)
        method = "/nvidia.maxine.audio2face2d.v1.Audio2Face2DService/Animate"
        await _assert_well(cluster, await answers_to(cluster.address, method, cases))


def _calls() -> list[Stream]:
    """Each pacing and driving, several encodings, controls and interrupts on the way."""
    wav = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)
    floats = types.AudioFormat(
        encoding=types.AUDIO_ENCODING_F32LE, sample_rate_hz=48_000, channels=2
    )
    mp4 = types.VideoFormat(encoding=types.VIDEO_ENCODING_H264_FMP4, quality=80)
    paced = types.PACING_REALTIME
    said, middle = [pb.AnimateRequest(audio=pcm()[:9000])], _middle()
    frames = types.FrameBlock(dim=265, data=bytes(4 * 265 * 3))
    return [
        [config(motion=control(), seed=1, sampling_steps=2), *said, *middle, *said],
        [config(audio_format=wav, video_format=mp4), pb.AnimateRequest(audio=wav_file())],
        [config(audio_format=floats), *said],
        [config(pacing=paced), *said, *middle],
        [config(driving=types.DRIVING_MOTION), pb.AnimateRequest(motion=frames)],
        [config(avatar_id="0" * 32), *said],
    ]


def _middle() -> list[pb.AnimateRequest]:
    return [
        pb.AnimateRequest(control=control()),
        pb.AnimateRequest(interrupt=pb.Interrupt(last_played_frame_index=2)),
    ]


def _foreign_calls() -> list[Stream]:
    turned = a2f.AnimateConfig(
        portrait_image=b"face", head_pose_mode=a2f.HEAD_POSE_MODE_USER_DEFINED_ANIMATION
    )
    turned.input_head_rotation.values.add(w=1.0)
    plain = a2f.AnimateConfig(
        portrait_image=b"face", mouth_expression_multiplier=1.5, enable_lookaway=True
    )
    file = wav_file()
    return [
        [
            a2f.AnimateRequest(config=asked),
            a2f.AnimateRequest(audio_file_data=file[:5000]),
            a2f.AnimateRequest(audio_file_data=file[5000:]),
        ]
        for asked in (turned, plain)
    ]
