"""FAST calls: what arrives, in which order, and what the numbers say."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import AsyncIterator

import av
import numpy as np
import pytest

from ditto.v1 import animation_pb2 as pb
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Cluster, animate, config, speech, tone, video
from tests.gateway.fake_renderer import loudness
from tests.wav_file import wav_file


async def test_every_frame_comes_once_in_order_between_started_and_stats(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(), *speech(tone(1.3))])
    assert answer.order[0] == "started"
    assert answer.order[-1] == "stats"
    assert [frame.index for frame in answer.frames] == list(range(33))
    assert [frame.pts_us for frame in answer.frames] == [40_000 * i for i in range(33)]
    assert [frame.speech_sample_offset for frame in answer.frames] == [640 * i for i in range(33)]
    assert {loudness(frame.data) for frame in answer.frames} == {8000.0}


async def test_each_frame_shows_its_own_speech(cluster: Cluster) -> None:
    levels = [100 * (i + 1) for i in range(20)]
    pcm = b"".join(tone(0.04, level) for level in levels)
    answer = await animate(cluster, [config(), *speech(pcm, message_bytes=999)])
    assert [loudness(frame.data) for frame in answer.frames] == levels


async def test_started_tells_the_settings_in_effect_without_the_portrait(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(seed=7), *speech(tone(0.1))])
    effective = answer.started.config
    assert answer.started.call_id
    assert answer.started.pack_version == "starter 1.0"
    assert list(answer.started.warnings) == ["the face is small"]
    assert (answer.started.width, answer.started.height) == (64, 64)
    assert not effective.portrait
    assert (effective.seed, effective.frame_rate, effective.pack) == (7, 25, "starter")
    assert effective.audio_format.sample_rate_hz == 16_000
    assert effective.video_format.quality == 85
    assert effective.view == types.VIEW_HEAD
    assert effective.pacing == types.PACING_FAST


async def test_the_motion_stage_is_told_of_the_face_and_the_settings(cluster: Cluster) -> None:
    settings = {"seed": 3, "emotion": types.EMOTION_HAPPY, "sampling_steps": 4}
    control = types.MotionControl(mouth_gain=1.5)
    await animate(cluster, [config(**settings, motion=control), *speech(tone(0.1))])
    told = cluster.stages["motion_dit"][0].requests[0].config
    assert list(told.identity.canonical_keypoints) == [0.5] * 63
    assert (told.seed, told.emotion, told.sampling_steps) == (3, types.EMOTION_HAPPY, 4)
    assert told.emotion_intensity == 1.0
    assert told.control.mouth_gain == 1.5


async def test_a_twentieth_of_a_second_gives_two_frames(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(), *speech(tone(0.05))])
    assert answer.error is None
    assert [frame.index for frame in answer.frames] == [0, 1]


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels", "sample"),
    [
        ("S16LE", 16_000, 1, struct.pack("<h", 8000)),
        ("S16LE", 48_000, 2, struct.pack("<hh", 8000, 8000)),
        ("S24LE", 44_100, 1, struct.pack("<i", 8000 << 8)[:3]),
        ("S32LE", 22_050, 1, struct.pack("<i", 8000 << 16)),
        ("U8", 8_000, 1, bytes([128 + 31])),
        ("F32LE", 16_000, 1, struct.pack("<f", 8000 / 32768)),
    ],
)
async def test_pcm_of_any_kind(
    cluster: Cluster, encoding: str, rate_hz: int, channels: int, sample: bytes
) -> None:
    audio_format = types.AudioFormat(
        encoding=types.AudioEncoding.Value(f"AUDIO_ENCODING_{encoding}"),
        sample_rate_hz=rate_hz,
        channels=channels,
    )
    answer = await animate(cluster, [config(audio_format=audio_format), *speech(sample * rate_hz)])
    assert len(answer.frames) == 25
    assert loudness(answer.frames[12].data) == pytest.approx(8000, rel=0.02)


@pytest.mark.parametrize("sample_bytes", [1, 2, 3])
async def test_wav_files_of_any_depth(cluster: Cluster, sample_bytes: int) -> None:
    sample = {1: bytes([160]), 2: b"\x00\x20", 3: b"\x00\x00\x20"}[sample_bytes]
    audio_format = types.AudioFormat(encoding=types.AUDIO_ENCODING_WAV)
    file = wav_file(sample * 24_000, 24_000, 1, sample_bytes)
    answer = await animate(cluster, [config(audio_format=audio_format), *speech(file, 1000)])
    assert len(answer.frames) == 25
    assert loudness(answer.frames[12].data) == pytest.approx(8192, rel=0.02)


async def test_an_mp4_that_plays_with_its_sound(cluster: Cluster) -> None:
    requests = [config(video_format=video("H264_FMP4")), *speech(tone(1.0, 9000))]
    answer = await animate(cluster, requests)
    assert 'codecs="avc1.42c01f, mp4a.40.2"' in answer.started.mime_type
    framed = [chunk for chunk in answer.chunks if chunk.frame_count]
    assert [chunk.first_frame_index for chunk in framed] == list(range(25))
    data = b"".join(chunk.data for chunk in answer.chunks)
    with av.open(io.BytesIO(data)) as file:
        pictures = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    with av.open(io.BytesIO(data)) as file:
        rate_hz = file.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert len(pictures) == 25
    assert pictures[20].mean() == pytest.approx(9000 / 128, abs=8)
    assert 1.0 <= len(sound) / rate_hz <= 1.04
    assert np.abs(sound[rate_hz // 4 : rate_hz // 2]).mean() == pytest.approx(9000 / 32768, rel=0.1)


async def test_rgb24_frames_larger_than_the_usual_message_limit_pass(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(video_format=video("RGB24")), *speech(tone(0.2))])
    assert [len(frame.data) for frame in answer.frames] == [200_004] * 5


async def test_speech_events_name_the_first_and_the_last_frame(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(), *speech(tone(0.5))])
    events = [(event.kind, event.frame_index) for event in answer.events]
    assert events == [(pb.EVENT_KIND_SPEECH_STARTED, 0), (pb.EVENT_KIND_SPEECH_ENDED, 12)]
    assert answer.order[1] == "event"


async def test_stats_and_trailers_say_the_same(cluster: Cluster) -> None:
    answer = await animate(cluster, [config(), *speech(tone(2.0))])
    stats = answer.stats
    assert (stats.frames, stats.video_seconds, stats.speech_seconds) == (50, 2.0, 2.0)
    assert stats.av_skew_ms == 0
    assert stats.avatar_source == "computed"
    rtf = {module.module: module.rtf for module in stats.modules}
    assert rtf == pytest.approx({"audio_encoder": 0.05, "motion_dit": 0.05, "renderer": 0.25})
    assert [list(module.replicas) for module in stats.modules] == [
        ["audio_encoder-0"],
        ["motion_dit-0"],
        ["renderer-0"],
    ]
    assert answer.trailers["ditto-frames"] == "50"
    assert answer.trailers["ditto-rtf-renderer"] == "0.2500"
    assert float(answer.trailers["ditto-ffd-ms"]) == pytest.approx(stats.ffd_ms, abs=0.1)
    assert 0 < stats.ffd_compute_ms <= stats.ffd_ms


async def test_ffd_compute_leaves_out_the_speech_that_is_waited_for(cluster: Cluster) -> None:
    async def in_real_time() -> AsyncIterator[pb.AnimateRequest]:
        yield config()
        for message in speech(tone(0.4), message_bytes=1280):
            yield message
            await asyncio.sleep(0.04)

    stats = (await animate(cluster, in_real_time())).stats
    # the seventh message, sent at 240 ms, completes hop and look-ahead
    assert stats.ffd_ms - stats.ffd_compute_ms == pytest.approx(240, abs=60)
    assert stats.ffd_compute_ms < 100


async def test_controls_reach_the_motion_stage_in_order(cluster: Cluster) -> None:
    async def requests() -> AsyncIterator[pb.AnimateRequest]:
        yield config()
        for gain in (0.5, 1.0, 1.5):
            yield pb.AnimateRequest(control=types.MotionControl(mouth_gain=gain, from_frame=3))
            for message in speech(tone(0.2)):
                yield message

    answer = await animate(cluster, requests())
    assert answer.error is None
    seen = cluster.stages["motion_dit"][0].requests
    gains = [r.control.mouth_gain for r in seen if r.WhichOneof("request") == "control"]
    assert gains == [0.5, 1.0, 1.5]


async def test_speech_runs_ahead_of_a_slow_reader_by_the_lead_only(cluster: Cluster) -> None:
    lead_samples = cluster.config.lead_seconds * 16_000
    renderer = cluster.stages["renderer"][0]
    renderer.faults.hang_at_frame = 0
    call = cluster.stub.Animate()
    for request in [config(), *speech(tone(30.0), 160_000)]:
        await call.write(request)
    await asyncio.sleep(0.5)
    fed = sum(len(r.audio) // 2 for r in cluster.stages["audio_encoder"][0].requests)
    assert lead_samples <= fed <= lead_samples + 2 * 3200
    call.cancel()


async def test_an_interrupt_drops_what_is_queued_and_says_where(cluster: Cluster) -> None:
    cluster.stages["renderer"][0].faults.step_delay_s = 0.005
    call = cluster.stub.Animate()
    for request in [config(), *speech(tone(30.0, 1000), 160_000)]:
        await call.write(request)
    kept, event, frames = await _interrupt_after(call, frames=5)
    for request in speech(tone(0.4, 2000)):
        await call.write(request)
    await call.done_writing()
    async for response in call:
        if response.WhichOneof("response") == "frame":
            frames.append(response.frame)
    assert event.frame_index < 12 * 25  # ten seconds of lead, and a little
    assert [frame.index for frame in frames] == list(range(len(frames)))
    old = [frame.index for frame in frames if loudness(frame.data) == 1000]
    assert old[-1] == event.frame_index >= kept
    assert {loudness(frame.data) for frame in frames[old[-1] + 1 :]} == {2000.0}


async def _interrupt_after(call: object, frames: int) -> tuple[int, pb.Event, list[pb.VideoFrame]]:
    """Read some frames, interrupt, read up to the answer."""
    got: list[pb.VideoFrame] = []
    async for response in call:  # type: ignore[attr-defined]
        kind = response.WhichOneof("response")
        if kind == "event" and response.event.kind == pb.EVENT_KIND_INTERRUPTED:
            return got[-1].index, response.event, got
        if kind == "frame":
            got.append(response.frame)
            if len(got) == frames:
                await call.write(pb.AnimateRequest(interrupt=pb.Interrupt()))  # type: ignore[attr-defined]
    raise AssertionError("no answer to the interrupt")
