"""The Python client against the real cluster: the starter pack, real portraits, real speech."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ditto.client import Client, Event, EventKind, Frame, in_real_time
from ditto.local_cluster import LocalCluster

EXAMPLES = Path(__file__).parents[2] / "examples"
PORTRAIT, SPEECH = EXAMPLES / "astronaut.jpg", EXAMPLES / "speech.wav"


def _frames_of_speech() -> int:
    return len(b"".join(_pcm())) // 2 // 640 + 1


def _pcm() -> list[bytes]:
    with av.open(str(SPEECH)) as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    return [frame.to_ndarray().tobytes() for frame in frames]


@pytest.mark.slow
def test_the_example_becomes_an_mp4(cluster: LocalCluster, tmp_path: Path) -> None:
    with Client(cluster.address) as client:
        call = client.animate(PORTRAIT, SPEECH, video="mp4")
        call.save(tmp_path / "talking.mp4")
    assert call.stats is not None
    assert call.stats.av_skew_ms == 0
    with av.open(str(tmp_path / "talking.mp4")) as file:
        pictures = sum(1 for _ in file.decode(video=0))
    with av.open(str(tmp_path / "talking.mp4")) as file:
        sound_s = sum(f.samples / f.sample_rate for f in file.decode(audio=0))
    assert pictures == call.stats.frames == pytest.approx(_frames_of_speech(), abs=1)
    assert sound_s == pytest.approx(pictures / 25, abs=0.08)


@pytest.mark.slow
def test_an_avatar_skips_the_preparation_and_frames_are_pictures(cluster: LocalCluster) -> None:
    with Client(cluster.address) as client:
        avatar = client.register(PORTRAIT)
        call = client.animate(avatar, b"".join(_pcm())[:64_000], seed=1)
        frames = [item for item in call if isinstance(item, Frame)]
        client.delete(avatar)
    assert call.stats is not None
    assert call.stats.avatar_source in ("local", "redis")
    assert len(frames) == 50
    picture = cv2.imdecode(np.frombuffer(frames[30].data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (512, 512, 3)


@pytest.mark.slow
def test_barge_in_on_the_real_cluster(cluster: LocalCluster) -> None:
    pcm = b"".join(_pcm())
    indices, after_gaps, took, kept = [], set(), 0.0, -1
    with Client(cluster.address) as client:
        call = client.animate(PORTRAIT, pacing="realtime")
        call.speak(pcm)
        for item in call:
            if isinstance(item, Frame):
                indices.append(item.index)
                if len(indices) == 25:
                    asked_s = time.monotonic()
                    call.interrupt()
            elif isinstance(item, Event) and item.kind is EventKind.INTERRUPTED:
                took, kept = time.monotonic() - asked_s, item.frame_index
                call.speak(pcm[:32_000])
                call.end()
            elif isinstance(item, Event) and item.kind is EventKind.FRAMES_SKIPPED:
                after_gaps.add(item.frame_index)  # this machine was late
    assert indices[0] == 0
    assert {b for a, b in pairwise(indices) if b != a + 1} == after_gaps
    assert 0 < took < 0.25  # 50 ms on an idle machine
    assert 24 <= kept <= 24 + 20
    assert len(indices) < 100


@pytest.mark.slow
def test_live_speech_comes_back_in_step(cluster: LocalCluster) -> None:
    with Client(cluster.address) as client:
        call = client.animate(PORTRAIT, in_real_time(SPEECH), pacing="realtime")
        frames = [item for item in call if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    late_frames = len(frames) - _frames_of_speech()
    assert -1 <= late_frames <= 25  # pauses where this machine was late
    assert call.stats is not None
    assert call.stats.ffd_compute_ms < call.stats.ffd_ms
