"""A client of NVIDIA's Audio2Face-2D service, which knows its wire format and nothing of ours."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

import av
import grpc
import numpy as np
import pytest

from ditto.audio2face2d.v1 import audio2face2d_pb2 as a2f
from ditto.local_cluster import LocalCluster
from tests.e2e import speech
from tests.e2e.calling import TIMEOUT_S
from tests.e2e.portraits import astronaut, encoded
from tests.packs.starter.renderer.driving import measured

METHOD = "/nvidia.maxine.audio2face2d.v1.Audio2Face2DService/Animate"
VARINT, FIXED32, BYTES = 0, 5, 2


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | int | float) -> bytes:
    """One protobuf field, written by hand."""
    if isinstance(value, bytes):
        return varint(number << 3 | BYTES) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | FIXED32) + struct.pack("<f", value)
    return varint(number << 3 | VARINT) + varint(value)


def settings(**numbers: bytes | int | float) -> bytes:
    """AnimateRequest{config} with the example portrait and fields by number, as f2=1."""
    portrait = encoded(astronaut(), "JPEG", quality=95)
    config = field(1, portrait)
    config += b"".join(field(int(name[1:]), value) for name, value in numbers.items())
    return field(1, config)


def wav_requests(seconds: float) -> Iterator[bytes]:
    data = speech.wav(16, seconds)
    for start in range(0, len(data), 10_000):
        yield field(2, data[start : start + 10_000])


def call(address: str, requests: Iterable[bytes]) -> list[a2f.AnimateResponse]:
    channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", 64 << 20)])
    with channel:
        animate = channel.stream_stream(METHOD)  # bytes in, bytes out
        answers = list(animate(iter(requests), timeout=TIMEOUT_S))
    return [a2f.AnimateResponse.FromString(answer) for answer in answers]


def pictures(responses: list[a2f.AnimateResponse]) -> list[np.ndarray]:
    """Decoded RGB frames of the MP4 file; asserts that it has sound."""
    data = b"".join(r.video_file_data for r in responses if r.HasField("video_file_data"))
    with av.open(io.BytesIO(data)) as file:
        assert file.streams.audio
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def angles(image: np.ndarray) -> np.ndarray:
    return np.array(measured(image).frame.angles_degrees())


def test_a_raw_client_gets_its_settings_and_a_file_that_plays(cluster: LocalCluster) -> None:
    later = settings(f9=60)  # ignored
    got = call(cluster.address, [settings(f2=1), later, *wav_requests(2.0)])
    assert got[0].WhichOneof("stream_output") == "config"
    told = got[0].config
    assert not told.portrait_image
    assert (told.blink_frequency, told.blink_duration, told.lookaway_max_offset) == (6, 10, 20)
    assert (told.animation_crop_mode, told.head_pose_mode) == (2, 1)
    assert told.mouth_expression_multiplier == 1
    kinds = {r.WhichOneof("stream_output") for r in got[1:]}
    assert "video_file_data" in kinds <= {"video_file_data", "keep_alive"}
    frames = pictures(got)
    assert len(frames) == 50
    assert frames[0].shape[:2] == (440, 360)  # registration blending: the whole portrait
    turns = np.array([angles(frame) for frame in frames[::8]])
    spread = np.ptp(turns, axis=0)  # the portrait's own pose is retained
    assert spread[0] < 4  # a jaw that opens reads as a little pitch
    assert spread[1:].max() < 1.8


def test_crop_mode_and_user_defined_poses_do_what_they_say(cluster: LocalCluster) -> None:
    half = np.radians(np.linspace(0, 10, 50)) / 2
    turns = [field(1, field(2, float(np.sin(h))) + field(4, float(np.cos(h)))) for h in half]
    config = settings(f3=1, f4=3, f13=b"".join(turns))
    frames = pictures(call(cluster.address, [config, *wav_requests(2.0)]))
    assert frames[0].shape[:2] == (512, 512)
    yaw = angles(frames[49])[1] - angles(frames[0])[1]
    assert 5.5 < yaw < 14  # turned to the image's left by 10


def test_the_mouth_multiplier_moves_the_mouth_further(cluster: LocalCluster) -> None:
    def movement(multiplier: float) -> float:
        config = settings(f3=1, f11=multiplier)
        frames = pictures(call(cluster.address, [config, *wav_requests(1.6)]))
        faces = [measured(frame) for frame in frames[::3]]
        gaps = [np.linalg.norm(face.head_mm[13] - face.head_mm[14]) for face in faces]
        return float(np.std(gaps))

    assert movement(2.0) > 1.1 * movement(1.0)


@pytest.mark.parametrize(
    ("number", "value", "name"),
    [
        ("f3", 3, "animation_crop_mode"),
        ("f4", 9, "head_pose_mode"),
        ("f4", 3, "input_head_rotation"),
        ("f6", 26, "lookaway_max_offset"),
        ("f7", 601, "lookaway_interval_range"),
        ("f8", 0, "lookaway_interval_min"),
        ("f9", 121, "blink_frequency"),
        ("f10", 1, "blink_duration"),
        ("f11", 2.5, "mouth_expression_multiplier"),
        ("f12", -0.1, "head_pose_multiplier"),
        ("f14", field(1, field(1, 0.5)), "input_head_translation"),
    ],
)
def test_what_cannot_be_done_is_refused_by_field(
    cluster: LocalCluster, number: str, value: bytes | int | float, name: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(cluster.address, [settings(**{number: value})])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert name in caught.value.details()


def test_audio_before_the_settings_is_refused(cluster: LocalCluster) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(cluster.address, wav_requests(0.5))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
