"""The rule by which speech starts and ends, and where queued speech lies."""

from __future__ import annotations

from ditto.v1 import animation_pb2 as pb
from gateway.call.media_clock import MediaClock
from gateway.call.placement import Placement
from gateway.call.speech_queue import SpeechQueue
from gateway.call.speech_spans import SpeechSpans
from tests.gateway.cluster import tone

CLOCK = MediaClock(frame_rate=25, first_samples=4480, hop_samples=3200)
STARTED, ENDED = pb.EVENT_KIND_SPEECH_STARTED, pb.EVENT_KIND_SPEECH_ENDED


def _told(spans: SpeechSpans, until_frame: int) -> list[tuple[int, int, int]]:
    """(frame before which it is told, kind, frame that it names)"""
    return [
        (frame, event.kind, event.frame_index)
        for frame in range(until_frame)
        for event in spans.events_before(frame)
    ]


def test_a_start_is_told_with_its_frame_and_an_end_after_its_frame() -> None:
    spans = SpeechSpans(CLOCK)
    spans.fed(3200, is_speech=False)
    spans.fed(6400, is_speech=True)
    spans.fed(6400, is_speech=False)
    assert _told(spans, 25) == [(5, STARTED, 5), (15, ENDED, 14)]
    assert spans.first_frame == 5


def test_a_short_pause_does_not_end_the_speech() -> None:
    spans = SpeechSpans(CLOCK)
    spans.fed(6400, is_speech=True)
    spans.fed(3199, is_speech=False)
    spans.fed(6400, is_speech=True)
    assert _told(spans, 25) == [(0, STARTED, 0)]
    assert [(e.kind, e.frame_index) for e in spans.remaining_events()] == [(ENDED, 24)]


def test_an_interrupt_ends_the_speech_and_the_next_starts_anew() -> None:
    spans = SpeechSpans(CLOCK)
    spans.fed(6400, is_speech=True)
    spans.stop()
    assert spans.last_frame == 9
    spans.fed(6400, is_speech=True)
    assert _told(spans, 20) == [(0, STARTED, 0), (10, ENDED, 9), (10, STARTED, 10)]


def test_without_speech_there_is_no_last_frame() -> None:
    spans = SpeechSpans(CLOCK)
    spans.fed(6400, is_speech=False)
    assert spans.last_frame == -1
    assert not spans.remaining_events()


def test_a_queue_gives_the_same_samples_however_they_are_cut() -> None:
    queue = SpeechQueue()
    whole = b"".join(tone(0.01, level) for level in range(1, 30))
    for at in range(0, len(whole), 74):
        queue.put(whole[at : at + 74])
    taken = b""
    for samples in (1, 7, 160, 1000, 0, 10_000):
        taken += queue.take(samples)
    assert taken == whole
    assert queue.samples == 0


def test_a_dropped_queue_is_empty_and_takes_new_speech() -> None:
    queue = SpeechQueue()
    queue.put(tone(1.0, 3))
    queue.take(100)
    queue.drop()
    queue.put(tone(0.01, 4))
    assert queue.take(1000) == tone(0.01, 4)


def test_placement_fills_gaps_between_sentences_with_silence() -> None:
    placement = Placement(SpeechQueue())
    placement.put(tone(0.1, 3), now=0)
    placement.put(tone(0.1, 4), now=8000)
    pieces = placement.feed(10_000)
    assert [(is_speech, len(pcm) // 2) for is_speech, pcm in pieces] == [
        (True, 1600),
        (False, 6400),
        (True, 1600),
        (False, 400),
    ]
