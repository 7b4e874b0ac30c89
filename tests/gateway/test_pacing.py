"""REALTIME on a clock that the test moves: when speech is fed and frames leave, what is skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from ditto.errors import CallLimitError
from ditto.v1 import renderer_pb2 as render_pb
from gateway.call.delivery import RealtimeDelivery
from gateway.call.feeding import RealtimeFeeder
from gateway.call.lead import Lead
from gateway.call.measure import CallMeasure
from gateway.call.media_clock import SAMPLE_RATE_HZ, MediaClock
from gateway.call.speech_spans import SpeechSpans
from tests.gateway.cluster import tone
from tests.gateway.manual_clock import ManualClock

START_S = 1000.0


def _media() -> MediaClock:
    return MediaClock(
        frame_rate=25,
        first_samples=4480,
        hop_samples=3200,
        start_s=START_S,
        jitter_s=0.02,
        margin_s=0.1,
    )


def _frame(index: int) -> render_pb.RenderedFrame:
    return render_pb.RenderedFrame(index=index)


class Speaker:
    """A feeder on a manual clock, and what it has given to the encoder when."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.media = _media()
        self.spans = SpeechSpans(self.media)
        self.measure = CallMeasure(self.clock)
        self.lead = Lead(self.media, 5 * SAMPLE_RATE_HZ)
        self.feeder = RealtimeFeeder(self.media, self.spans, self.measure, self.lead, self.clock)
        self.given: list[tuple[float, int]] = []
        self.sound = np.zeros(0, "<i2")

    async def give(self, pcm: bytes) -> None:
        self.given.append((round(self.clock.now() - START_S, 6), len(pcm) // 2))
        self.sound = np.append(self.sound, np.frombuffer(pcm, "<i2"))

    async def say(self, at_s: float, seconds: float, level: int = 5) -> None:
        """Speech arrives at a moment."""
        await self.clock.advance_to(START_S + at_s)
        self.feeder.put(tone(seconds, level))


@asynccontextmanager
async def _speaking() -> AsyncIterator[Speaker]:
    speaker = Speaker()
    running = asyncio.create_task(speaker.feeder.run(speaker.give))
    try:
        yield speaker
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_silence_is_fed_in_units_at_the_pace_of_the_clock() -> None:
    async with _speaking() as speaker:
        await speaker.clock.advance_to(START_S + 0.75)
    assert speaker.given == [(0.3, 4480), (0.5, 3200), (0.7, 3200)]
    assert not speaker.sound.any()


async def test_speech_is_placed_where_the_clock_was_when_it_arrived() -> None:
    async with _speaking() as speaker:
        await speaker.say(0.4, 0.1)
        await speaker.clock.advance_to(START_S + 1.0)
    assert np.flatnonzero(speaker.sound).tolist() == list(range(6400, 8000))


async def test_speech_in_real_time_has_no_gap_even_when_it_jitters() -> None:
    async with _speaking() as speaker:
        for number in range(20):
            late_s = 0.06 if number % 3 else 0.0
            await speaker.say(0.2 + number * 0.1 + late_s, 0.1)
        await speaker.clock.advance_to(START_S + 3.0)
    spoken = np.flatnonzero(speaker.sound)
    assert len(spoken) == 32_000
    assert spoken[-1] - spoken[0] == 31_999


async def test_speech_whose_place_was_given_away_follows_the_silence() -> None:
    async with _speaking() as speaker:
        await speaker.say(0.28, 0.1, level=1)
        await speaker.say(0.51, 0.1, level=2)  # 0.13 s late: a pause, and its unit was given
        await speaker.clock.advance_to(START_S + 1.0)
    assert np.flatnonzero(speaker.sound == 1).tolist() == list(range(4480, 6080))
    assert np.flatnonzero(speaker.sound == 2).tolist() == list(range(8160, 9760))


async def test_a_burst_is_queued_and_spoken_without_a_gap() -> None:
    async with _speaking() as speaker:
        await speaker.say(0.1, 3.0)
        assert speaker.feeder.queued_samples == 48_000
        speaker.feeder.end()
        await speaker.clock.advance_to(START_S + 4.0)
        assert speaker.feeder.queued_samples == 0
    spoken = np.flatnonzero(speaker.sound)
    assert len(spoken) == 48_000 == spoken[-1] - spoken[0] + 1
    assert len(speaker.sound) == spoken[-1] + 1  # the call ends with the speech, no silence after


async def test_stages_that_are_too_slow_are_not_flooded() -> None:
    async with _speaking() as speaker:
        await speaker.clock.advance_to(START_S + 60)
        assert 5 * SAMPLE_RATE_HZ <= len(speaker.sound) <= 5 * SAMPLE_RATE_HZ + 4480
        speaker.lead.sent(24)
        await speaker.clock.advance_to(START_S + 60.1)
        assert 6 * SAMPLE_RATE_HZ <= len(speaker.sound) <= 6 * SAMPLE_RATE_HZ + 4480


async def test_an_interrupt_leaves_only_what_the_encoder_has() -> None:
    async with _speaking() as speaker:
        await speaker.say(0.0, 5.0)
        await speaker.clock.advance_to(START_S + 1.0)
        fed = len(speaker.sound)
        speaker.feeder.drop()
        last_frame = speaker.spans.interrupt(kept=fed)
        await speaker.say(1.1, 0.2, level=9)
        await speaker.clock.advance_to(START_S + 2.0)
    assert last_frame == (fed - 1) // 640
    assert (speaker.sound[:fed] == 5).all()
    assert np.flatnonzero(speaker.sound == 9).tolist() == list(range(17_600, 20_800))
    assert not (speaker.sound[fed:] == 5).any()


async def test_the_first_speech_frame_waits_for_its_own_unit() -> None:
    async with _speaking() as speaker:
        await speaker.clock.advance_to(START_S + 0.5)
        speaker.measure.speech_arrived()
        await speaker.say(0.5, 0.5)
        await speaker.clock.advance_to(START_S + 2.0)
        speaker.measure.frame_leaves(12, speaker.spans.first_frame)
    stats = speaker.measure.stats()
    assert speaker.spans.first_frame == 12
    assert stats.ffd_ms == pytest.approx(1500)
    assert stats.ffd_compute_ms == pytest.approx(2000 - 680)  # frames 10-14 need up to 0.68 s


async def _deliver(delivery: RealtimeDelivery, clock: ManualClock, until_s: float) -> None:
    running = asyncio.create_task(delivery.run())
    await clock.advance_to(START_S + until_s)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_frames_leave_when_they_are_due_however_they_come() -> None:
    clock, media = ManualClock(), _media()
    left: list[tuple[int, float]] = []

    async def send(frame: render_pb.RenderedFrame) -> None:
        left.append((frame.index, round(clock.now() - START_S, 6)))

    delivery = RealtimeDelivery(media, clock, send, asyncio.Lock(), lag_s=1.0, may_skip=True)
    for index in range(10):
        await delivery.put(_frame(index))
    delivery.end()
    await _deliver(delivery, clock, 2.0)
    assert media.delay_s == pytest.approx(0.4)
    assert left == [(i, round(0.4 + 0.04 * i, 6)) for i in range(10)]


async def test_a_frame_that_is_late_leaves_at_once_and_the_clock_goes_on() -> None:
    clock, media = ManualClock(), _media()
    left: list[tuple[int, float]] = []

    async def send(frame: render_pb.RenderedFrame) -> None:
        left.append((frame.index, round(clock.now() - START_S, 6)))

    delivery = RealtimeDelivery(media, clock, send, asyncio.Lock(), lag_s=1.0, may_skip=True)
    running = asyncio.create_task(delivery.run())
    await delivery.put(_frame(0))
    await clock.advance_to(START_S + 0.47)
    await delivery.put(_frame(1))
    await delivery.put(_frame(2))
    await clock.advance_to(START_S + 1.0)
    running.cancel()
    assert left == [(0, 0.4), (1, 0.47), (2, 0.48)]


async def _fall_behind(may_skip: bool) -> list[int]:
    """A reader takes one frame, then nothing for four seconds, then everything."""
    clock, media = ManualClock(), _media()
    reading = asyncio.Event()
    left: list[int] = []

    async def send(frame: render_pb.RenderedFrame) -> None:
        if left:
            await reading.wait()
        left.append(frame.index)

    delivery = RealtimeDelivery(media, clock, send, asyncio.Lock(), lag_s=1.0, may_skip=may_skip)
    running = asyncio.create_task(delivery.run())
    for index in range(100):
        await clock.advance_to(START_S + index * 0.04 + 0.35)
        await delivery.put(_frame(index))
        assert len(delivery._frames) <= 40
    reading.set()
    delivery.end()
    await clock.advance_to(START_S + 10)
    await running
    return left


async def test_a_reader_that_falls_behind_loses_whole_frames_and_catches_up() -> None:
    left = await _fall_behind(may_skip=True)
    assert left == sorted(left)
    assert left[0] == 0
    assert left[-1] == 99
    assert 20 < len(left) < 60


async def test_a_reader_of_a_container_that_falls_behind_loses_the_call() -> None:
    with pytest.raises(CallLimitError, match="frames behind"):
        await _fall_behind(may_skip=False)
