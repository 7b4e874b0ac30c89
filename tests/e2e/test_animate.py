"""A portrait speaks through the whole cluster: the answer is decoded and checked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from ditto.local_cluster import LocalCluster
from ditto.media.measured_mp4 import measure_mp4
from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2
from ditto.v1.types_pb2 import (
    AUDIO_ENCODING_WAV,
    VIDEO_ENCODING_H264_FMP4,
    VIDEO_ENCODING_RGB24,
    VIEW_FULL,
)
from tests.e2e import portraits, speech
from tests.e2e.calling import Answer, animate, config, speak, stub

FPS = 25
FRAME_MS = 1000 / FPS
WAV = types_pb2.AudioFormat(encoding=AUDIO_ENCODING_WAV)


@pytest.fixture(scope="module")
def film(cluster: LocalCluster) -> Answer:
    """The example portrait saying all of the example speech."""
    settings = config(encoding=VIDEO_ENCODING_H264_FMP4, audio_format=WAV)
    return animate(cluster.address, speak(settings, speech.wav_file()))


def decoded(frame: pb.VideoFrame) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(frame.data, np.uint8), cv2.IMREAD_COLOR_RGB)


def test_the_file_has_every_frame_and_all_of_the_sound(film: Answer) -> None:
    found = measure_mp4(film.file)
    spoken_s = len(speech.samples()) / speech.RATE_HZ
    assert (found.video_codec, found.audio_codec) == ("h264", "aac")
    assert (found.width, found.height) == (512, 512) == (film.started.width, film.started.height)
    assert found.frames == int(np.ceil(spoken_s * FPS)) == film.stats.frames
    assert found.frame_times == pytest.approx(np.arange(found.frames) / FPS, abs=1e-4)
    assert abs(found.video_seconds(FPS) - found.sound_seconds) < 1 / FPS
    assert film.started.mime_type.startswith('video/mp4; codecs="avc1.42')


def test_sound_and_picture_are_in_step(film: Answer) -> None:
    assert abs(measure_mp4(film.file).av_skew_ms(speech.samples(), FPS)) < FRAME_MS / 2
    assert abs(film.stats.av_skew_ms) < FRAME_MS


def test_a_cut_stream_plays_as_far_as_it_came(film: Answer) -> None:
    shown = sum(chunk.frame_count for chunk in film.chunks[:50])
    part = b"".join(chunk.data for chunk in film.chunks[:50])
    assert measure_mp4(part).frames == shown > 0
    firsts = [chunk.first_frame_index for chunk in film.chunks if chunk.frame_count]
    assert firsts == list(
        np.cumsum([0, *(c.frame_count for c in film.chunks if c.frame_count)])[:-1]
    )


def test_the_numbers_of_the_call(film: Answer) -> None:
    stats = film.stats
    assert {module.module for module in stats.modules} >= {
        "audio_encoder",
        "motion_dit",
        "renderer",
    }
    assert all(module.rtf > 0 and module.replicas for module in stats.modules if module.compute_ms)
    assert stats.ffd_ms > 0
    assert stats.ffd_compute_ms > 0
    assert stats.video_seconds == pytest.approx(stats.frames / FPS)
    assert stats.speech_seconds == pytest.approx(len(speech.samples()) / speech.RATE_HZ, abs=0.01)
    assert {key for key in film.trailers if key.startswith("ditto-")}


def test_frames_are_numbered_and_timed(cluster: LocalCluster) -> None:
    answer = animate(cluster.address, speak(config(), speech.part(1, 2)))
    assert [frame.index for frame in answer.frames] == list(range(25))
    assert [frame.pts_us for frame in answer.frames] == [40_000 * n for n in range(25)]
    assert [frame.speech_sample_offset for frame in answer.frames] == [640 * n for n in range(25)]
    assert {decoded(frame).shape for frame in answer.frames} == {(512, 512, 3)}


def test_the_full_view_keeps_the_picture_around_the_head(cluster: LocalCluster) -> None:
    portrait = np.asarray(portraits.astronaut())
    answer = animate(cluster.address, speak(config(view=VIEW_FULL), speech.part(1, 2)))
    frames = [decoded(frame) for frame in answer.frames]
    height, width = frames[0].shape[:2]
    assert (width, height) == (answer.started.width, answer.started.height) == (360, 440)
    corner = np.s_[-60:, :60]
    assert np.abs(frames[12][corner].astype(int) - portrait[corner]).mean() < 6
    face = np.s_[60:170, 120:230]
    moved = max(np.abs(frame[face].astype(int) - frames[0][face]).mean() for frame in frames)
    assert moved > 1, "the head stands still"


def test_raw_frames_are_what_jpeg_frames_show(cluster: LocalCluster) -> None:
    said = speech.part(1, 1.4)
    raw = animate(cluster.address, speak(config(encoding=VIDEO_ENCODING_RGB24), said))
    jpeg = animate(cluster.address, speak(config(), said))
    pixels = np.frombuffer(raw.frames[5].data, np.uint8).reshape(512, 512, 3)
    assert np.abs(pixels.astype(int) - decoded(jpeg.frames[5])).mean() < 4


def test_equal_seeds_repeat_and_others_do_not(cluster: LocalCluster) -> None:
    said = speech.part(1, 3)
    first, again, other = (
        animate(cluster.address, speak(config(seed=seed), said)).hashes for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_small_messages_give_what_one_large_one_gives(cluster: LocalCluster) -> None:
    said = speech.part(1, 3)
    whole = animate(cluster.address, speak(config(), said, message_bytes=1 << 20))
    crumbs = animate(cluster.address, speak(config(), said, message_bytes=331))
    assert crumbs.hashes == whole.hashes


def test_calls_side_by_side_give_what_they_give_alone(cluster: LocalCluster) -> None:
    calls = [
        (config(seed=1), speech.part(0, 3)),
        (config(seed=2, emotion=types_pb2.EMOTION_HAPPY), speech.part(3, 6)),
    ]
    alone = [animate(cluster.address, speak(*call)).hashes for call in calls]
    with ThreadPoolExecutor() as threads:
        together = list(
            threads.map(lambda call: animate(cluster.address, speak(*call)).hashes, calls)
        )
    assert together == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize("name", portraits.usable())
def test_unusual_portrait_files(cluster: LocalCluster, name: str) -> None:
    settings = config(portrait=portraits.usable()[name], view=VIEW_FULL)
    answer = animate(cluster.address, speak(settings, speech.part(1, 1.2)))
    assert (answer.started.width, answer.started.height) == (360, 440)
    shown = decoded(answer.frames[0])[100:, 60:].mean(2)
    upright = np.asarray(portraits.astronaut().convert("L"), float)[100:, 60:]
    assert np.corrcoef(shown.ravel(), upright.ravel())[0, 1] > 0.95


def test_an_8_megabyte_portrait_from_a_phone(cluster: LocalCluster) -> None:
    portrait = portraits.from_a_phone()
    assert len(portrait) > 8_000_000
    answer = animate(cluster.address, speak(config(portrait=portrait), speech.part(1, 1.4)))
    assert len(answer.frames) == 10


@pytest.mark.parametrize(
    ("bits", "rate_hz", "channels", "tag"),
    [(8, 16_000, 1, 1), (24, 48_000, 2, 1), (32, 44_100, 1, 3), (16, 8_000, 1, 1)],
)
def test_wav_files_of_other_kinds(
    cluster: LocalCluster, bits: int, rate_hz: int, channels: int, tag: int
) -> None:
    data = speech.wav(bits, 1.0, rate_hz, channels, tag)
    answer = animate(cluster.address, speak(config(audio_format=WAV), data))
    assert len(answer.frames) == 25
    assert answer.stats.speech_seconds == pytest.approx(1.0, abs=0.01)


def test_a_twentieth_of_a_second(cluster: LocalCluster) -> None:
    answer = animate(cluster.address, speak(config(), speech.part(1.2, 1.25)))
    assert len(answer.frames) == 2


def test_the_second_call_with_a_portrait_skips_the_work(cluster: LocalCluster) -> None:
    fresh = portraits.astronaut().resize((390, 470))
    portrait = portraits.encoded(fresh, "JPEG", quality=93)
    settings = config(portrait=portrait)
    sources = [
        animate(cluster.address, speak(settings, speech.part(1, 1.2))).stats.avatar_source
        for _ in range(2)
    ]
    assert sources[0] == "computed"
    assert sources[1] in ("local", "redis")


def test_a_registered_avatar_speaks_until_it_is_deleted(cluster: LocalCluster) -> None:
    service, portrait = stub(cluster.address), portraits.encoded(portraits.astronaut(), "WEBP")
    registered = service.RegisterAvatar(pb.RegisterAvatarRequest(portrait=portrait), timeout=30)
    avatar = registered.avatar
    assert (avatar.width, avatar.height) == (360, 440)
    found = service.GetAvatar(pb.GetAvatarRequest(avatar_id=avatar.avatar_id), timeout=30)
    assert found.avatar == avatar
    answer = animate(
        cluster.address, speak(config(avatar_id=avatar.avatar_id), speech.part(1, 1.4))
    )
    assert len(answer.frames) == 10
    service.DeleteAvatar(pb.DeleteAvatarRequest(avatar_id=avatar.avatar_id), timeout=30)
    with pytest.raises(Exception, match="NOT_FOUND"):
        service.GetAvatar(pb.GetAvatarRequest(avatar_id=avatar.avatar_id), timeout=30)
