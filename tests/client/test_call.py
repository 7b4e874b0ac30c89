"""Calls of the blocking client to a real gateway before fake stages."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from ditto.client import Client, Event, EventKind, Frame, in_real_time
from ditto.client.speech import SpeechSource
from ditto.v1 import types_pb2 as types
from tests.gateway.cluster import Cluster, tone
from tests.gateway.fake_renderer import loudness
from tests.wav_file import wav_file


def test_files_to_frames(client: Client, files: tuple[Path, Path]) -> None:
    call = client.animate(*files, seed=3, emotion="happy", view="head", quality=70)
    assert call.started.config.seed == 3
    assert call.started.config.emotion == types.EMOTION_HAPPY
    assert call.started.config.video_format.quality == 70
    items = list(call)
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.pts_seconds for frame in frames][:3] == [0.0, 0.04, 0.08]
    assert frames[2].speech_sample_offset == 1280
    assert loudness(frames[0].data) == 4000
    events = [item for item in items if isinstance(item, Event)]
    assert [(event.kind, event.frame_index) for event in events] == [
        (EventKind.SPEECH_STARTED, 0),
        (EventKind.SPEECH_ENDED, 24),
    ]
    assert call.stats is not None
    assert call.stats.frames == 25


def test_files_to_mp4(client: Client, files: tuple[Path, Path], tmp_path: Path) -> None:
    client.animate(*files, video="mp4").save(tmp_path / "talking.mp4")
    with av.open(str(tmp_path / "talking.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == 25


@pytest.mark.parametrize("kind", ["wav bytes", "pcm bytes", "pieces", "8 kHz pieces"])
def test_speech_of_any_source(client: Client, kind: str) -> None:
    pcm = tone(1.0, 4000)
    speech: dict[str, SpeechSource] = {
        "wav bytes": wav_file(pcm),
        "pcm bytes": pcm,
        "pieces": (pcm[at : at + 100] for at in range(0, len(pcm), 100)),
        "8 kHz pieces": iter([pcm[:8000], pcm[:8000]]),
    }
    rate_hz = 8000 if kind.startswith("8") else 16_000
    call = client.animate(b"face", speech[kind], sample_rate_hz=rate_hz)
    frames = [item for item in call if isinstance(item, Frame)]
    assert len(frames) == 25
    assert loudness(frames[10].data) == pytest.approx(4000, rel=0.01)


def test_a_conversation(client: Client) -> None:
    call = client.animate(b"face", pacing="realtime")
    call.speak(tone(20.0, 1000))
    call.control(mouth_gain=1.5)
    frames = []
    for item in call:
        if isinstance(item, Frame):
            frames.append(item)
            if len(frames) == 5:
                call.interrupt()
        elif isinstance(item, Event) and item.kind is EventKind.INTERRUPTED:
            call.speak(tone(0.4, 2000))
            call.end()
    assert loudness(frames[-1].data) == 3000  # 2000, spoken with a wider mouth
    assert len(frames) < 60
    assert call.stats is not None
    assert call.stats.speech_seconds == pytest.approx(20.4)


def test_leaving_a_call_frees_it_and_its_threads(gateway: Cluster, client: Client) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield tone(0.2)

    before = threading.active_count()
    for _ in range(5):
        with client.animate(b"face", endless()) as call:
            next(iter(call))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and (threading.active_count() > before or _live(gateway)):
        time.sleep(0.02)
    assert threading.active_count() <= before
    assert not _live(gateway)


def _live(gateway: Cluster) -> int:
    return sum(stage.slots.live for stages in gateway.stages.values() for stage in stages)


def test_in_real_time_takes_as_long_as_the_speech(files: tuple[Path, Path]) -> None:
    begun = time.monotonic()
    pcm = b"".join(in_real_time(files[1]))
    assert time.monotonic() - begun >= 0.99
    assert len(pcm) == 32_000
