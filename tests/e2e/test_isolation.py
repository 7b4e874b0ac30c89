"""Many calls at once give each what it would have got alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import ImageEnhance, ImageOps

from ditto.local_cluster import ClusterPlan, LocalCluster
from ditto.motion import layout
from ditto.v1 import audio_encoder_pb2 as audio_pb
from ditto.v1 import motion_dit_pb2 as motion_pb
from ditto.v1 import types_pb2 as types
from ditto.v1.audio_encoder_pb2_grpc import AudioEncoderServiceStub
from ditto.v1.motion_dit_pb2_grpc import MotionDitServiceStub
from tests.e2e import portraits, speech
from tests.e2e.calling import animate, channel, config, speak

RGB24 = types.VIDEO_ENCODING_RGB24
STAGES = ("audio_encoder", "motion_dit", "renderer")
LEAST_PSNR_DB = 50.0
MOST_MOTION_ERROR = 1e-4


def portrait(number: int) -> bytes:
    """One of many pictures of the same face: mirrored, tinted, brighter, closer."""
    image = portraits.astronaut()
    image = image.crop((number, 0, 360 - number, 440 - number))
    image = ImageOps.mirror(image) if number % 2 else image
    image = ImageEnhance.Brightness(image).enhance(0.8 + 0.03 * number)
    return portraits.encoded(ImageEnhance.Color(image).enhance(0.2 + 0.1 * number), "PNG")


def spoken(number: int, seconds: float) -> bytes:
    return speech.part(0.35 * number, 0.35 * number + seconds)


def frames_of(cluster: LocalCluster, number: int, seconds: float) -> list[bytes]:
    settings = config(portrait=portrait(number), encoding=RGB24, seed=number, keep_quality=True)
    answer = animate(cluster.address, speak(settings, spoken(number, seconds)))
    return [frame.data for frame in answer.frames]


def together_and_alone(
    cluster: LocalCluster, calls: int, seconds: float
) -> list[tuple[list[bytes], list[bytes]]]:
    alone = [frames_of(cluster, n, seconds) for n in range(calls)]  # the portraits are ready then
    with ThreadPoolExecutor(calls) as threads:
        together = list(threads.map(lambda n: frames_of(cluster, n, seconds), range(calls)))
    return list(zip(together, alone, strict=True))


def psnr_db(first: bytes, second: bytes) -> float:
    a, b = (np.frombuffer(data, np.uint8).astype(np.float32) for data in (first, second))
    error = float(np.mean((a - b) ** 2))
    return 10 * np.log10(255**2 / error) if error else np.inf


def least_psnr_db(pairs: list[tuple[list[bytes], list[bytes]]]) -> float:
    assert all(len(a) == len(b) > 0 for a, b in pairs)
    return min(psnr_db(x, y) for a, b in pairs for x, y in zip(a, b, strict=True))


def test_three_calls_at_once(cluster: LocalCluster) -> None:
    pairs = together_and_alone(cluster, 3, 0.6)
    assert len({pair[1][0] for pair in pairs}) == 3
    assert least_psnr_db(pairs) >= LEAST_PSNR_DB


@pytest.mark.slow
def test_sixteen_calls_at_once_without_batching_are_equal_to_the_bit() -> None:
    settings = {stage: ["slots=16", "max_batch=1"] for stage in STAGES}
    with LocalCluster(ClusterPlan(settings=settings)) as cluster:
        for together, alone in together_and_alone(cluster, 16, 4.0):
            assert together == alone


@pytest.mark.slow
def test_sixteen_calls_at_once_with_batching_are_nearly_equal() -> None:
    settings = {stage: ["slots=16"] for stage in STAGES}
    with LocalCluster(ClusterPlan(settings=settings)) as cluster:
        least = least_psnr_db(together_and_alone(cluster, 16, 4.0))
        with ThreadPoolExecutor(16) as threads:
            together = list(threads.map(lambda n: motion_of(cluster, n), range(16)))
        errors = [np.abs(motion - motion_of(cluster, n)).max() for n, motion in enumerate(together)]
    print(f"least PSNR {least:.1f} dB, largest motion error {max(errors):.1e}")
    assert least >= LEAST_PSNR_DB
    assert max(errors) <= MOST_MOTION_ERROR


def motion_of(cluster: LocalCluster, number: int) -> np.ndarray:
    """(T, 265) of a call's speech, straight from the two stages."""
    speech_format = types.AudioFormat(
        encoding=types.AUDIO_ENCODING_S16LE, sample_rate_hz=speech.RATE_HZ, channels=1
    )
    encode = [
        audio_pb.EncodeRequest(config=audio_pb.EncodeConfig(audio_format=speech_format)),
        audio_pb.EncodeRequest(audio=spoken(number, 4.0)),
    ]
    encoder = AudioEncoderServiceStub(channel(cluster.servers["audio_encoder-0"].address))
    blocks = [r.features.frames for r in encoder.Encode(iter(encode)) if r.HasField("features")]
    settings = motion_pb.GenerateConfig(
        identity=plain_face(), seed=number, emotion=types.EMOTION_HAPPY
    )
    generate = [motion_pb.GenerateRequest(config=settings)]
    generate += [motion_pb.GenerateRequest(features=block) for block in blocks]
    generator = MotionDitServiceStub(channel(cluster.servers["motion_dit-0"].address))
    replies = [r.motion.frames for r in generator.Generate(iter(generate)) if r.HasField("motion")]
    return np.concatenate([np.frombuffer(b.data, "<f4").reshape(-1, b.dim) for b in replies])


def plain_face() -> types.FaceIdentity:
    zero = np.zeros(1, np.float32)
    ahead = layout.Motion(
        zero + 1, zero, zero, zero, np.zeros((1, 3), np.float32), np.zeros((1, 63), np.float32)
    )
    return types.FaceIdentity(
        canonical_keypoints=[0.0] * 63,
        reference_motion=layout.pack(ahead)[0].tolist(),
        eye_state=[0.0] * 8,
    )
