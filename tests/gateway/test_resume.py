"""A call outlives its gateway: every frame once and in order, the same as if nothing had been."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import av
import pytest

from ditto.client import AsyncClient, Chunk, Event, EventKind, Frame, Patience
from ditto.errors import StageUnavailableError
from tests.gateway.cluster import tone
from tests.gateway.fake_renderer import loudness
from tests.gateway.two_gateways import PATIENCE, Taken, TwoGateways, rising, two_gateways

SPEECH = rising(4.0)


@pytest.fixture
async def gateways(tmp_path: Path) -> AsyncIterator[TwoGateways]:
    async with two_gateways(tmp_path) as both:
        for stages in both.cluster.stages.values():
            stages[0].faults.step_delay_s = 0.004
        yield both


async def _call(
    gateways: TwoGateways,
    speech: Any = SPEECH,
    at: int | None = None,
    harm: Callable[[], Any] | None = None,
    **options: Any,
) -> Taken:
    """Make a call, and do harm once frame `at` has come."""
    async with gateways.client() as client:
        taken = Taken([])
        async with await client.animate(b"face", speech, **options) as call:
            async for item in call:
                taken.items.append(item)
                index = getattr(item, "index", getattr(item, "first_frame", None))
                if harm is not None and index == at:
                    await harm()
        assert call.stats is not None
        taken.stats = call.stats  # type: ignore[attr-defined]
        return taken


@pytest.mark.parametrize("at", [0, 30, 98])
async def test_a_gateway_that_dies_costs_no_frame(gateways: TwoGateways, at: int) -> None:
    taken = await _call(gateways, at=at, harm=gateways.first.kill)
    assert [frame.index for frame in taken.frames] == list(range(100))
    assert [loudness(frame.data) for frame in taken.frames] == [20.0 * i for i in range(1, 101)]
    told = taken.events(EventKind.SPEECH_STARTED, EventKind.SPEECH_ENDED)
    assert [(event.kind, event.frame_index) for event in told] == [
        (EventKind.SPEECH_STARTED, 0),
        (EventKind.SPEECH_ENDED, 99),
    ]
    moved = taken.events(EventKind.RESUMED)
    if at < 90:
        (event,) = moved
        assert event.frame_index > at
        assert 0 < event.gap_ms < 20_000
        assert gateways.second.address in event.detail
    assert taken.stats.frames == 100  # type: ignore[attr-defined]
    assert taken.stats.speech_seconds == pytest.approx(4.0)  # type: ignore[attr-defined]
    assert await gateways.cluster.all_slots_free()


@pytest.mark.parametrize("rate_hz", [44_100])
async def test_speech_at_another_rate_goes_on_where_it_was(
    gateways: TwoGateways, rate_hz: int
) -> None:
    speech = rising(4.0)
    whole = await _call(gateways, speech, sample_rate_hz=rate_hz)
    taken = await _call(gateways, speech, at=20, harm=gateways.first.kill, sample_rate_hz=rate_hz)
    assert taken.events(EventKind.RESUMED)
    assert [frame.data for frame in taken.frames] == [frame.data for frame in whole.frames]


@pytest.mark.parametrize("at", [0, 40])
async def test_an_mp4_is_continued(gateways: TwoGateways, at: int) -> None:
    whole = await _call(gateways, video="mp4")
    taken = await _call(gateways, at=at, harm=gateways.first.kill, video="mp4")
    chunks = [item for item in taken.items if isinstance(item, Chunk) and item.frames]
    assert [chunk.first_frame for chunk in chunks] == list(range(100))
    assert taken.mp4.count(b"moov") == 1
    assert _decoded(taken.mp4) == _decoded(whole.mp4)


def _decoded(mp4: bytes) -> tuple[list[int], int]:
    """Presentation times of the pictures, and the number of samples of sound."""
    with av.open(io.BytesIO(mp4)) as file:
        shown = [int(frame.pts) for frame in file.decode(video=0)]
    with av.open(io.BytesIO(mp4)) as file:
        return shown, sum(frame.samples for frame in file.decode(audio=0))


async def _live(pcm: bytes, every_s: float = 0.04) -> AsyncIterator[bytes]:
    """Pieces of 40 ms as time passes."""
    begun = asyncio.get_running_loop().time()
    for number, at in enumerate(range(0, len(pcm), 1280)):
        await asyncio.sleep(begun + number * every_s - asyncio.get_running_loop().time())
        yield pcm[at : at + 1280]


async def test_a_live_call_catches_up(gateways: TwoGateways) -> None:
    taken = await _call(gateways, _live(SPEECH), at=30, harm=gateways.first.kill, pacing="realtime")
    frames = taken.frames
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert taken.events(EventKind.RESUMED)
    spoken = [loudness(frame.data) for frame in frames if loudness(frame.data)]
    assert spoken == sorted(spoken)
    assert spoken[-1] == 2000
    assert len(frames) <= 140  # silence where this machine was late, and none for the gap


async def test_a_gateway_that_drains_is_left_at_once(gateways: TwoGateways) -> None:
    async def drain() -> None:
        draining.append(asyncio.create_task(gateways.first.service.drain(30.0)))

    draining: list[asyncio.Task[None]] = []
    taken = await _call(gateways, at=20, harm=drain)
    assert [frame.index for frame in taken.frames] == list(range(100))
    (event,) = taken.events(EventKind.RESUMED)
    assert "draining" in event.detail
    await asyncio.wait_for(draining[0], 10)


async def test_without_another_gateway_a_draining_one_ends_the_call(gateways: TwoGateways) -> None:
    await gateways.second.kill()

    async def drain() -> None:
        draining.append(asyncio.create_task(gateways.first.service.drain(30.0)))

    draining: list[asyncio.Task[None]] = []
    taken = await _call(gateways, at=20, harm=drain)
    assert [frame.index for frame in taken.frames] == list(range(100))
    assert not taken.events(EventKind.RESUMED)
    await asyncio.wait_for(draining[0], 10)


@pytest.mark.parametrize("at", [4, 70])
async def test_a_control_is_neither_lost_nor_given_twice(gateways: TwoGateways, at: int) -> None:
    async with gateways.client() as client:
        shown = []
        async with await client.animate(b"face", _live(SPEECH, every_s=0.01)) as call:
            async for item in call:
                if isinstance(item, Frame):
                    shown.append(loudness(item.data) / (20 * (item.index + 1)))
                    if item.index == 3:
                        await call.control(mouth_gain=0.5)
                    if item.index == at:
                        await gateways.first.kill()
    begins = shown.index(0.5)
    assert shown == [1.0] * begins + [0.5] * (100 - begins)
    assert begins < 60
    told = [stage.requests for stage in gateways.cluster.stages["motion_dit"]]
    controls = [request for request in told[0] if request.HasField("control")]
    assert len(controls) <= (1 if at == 70 else 2)


async def test_an_interrupt_before_the_loss(gateways: TwoGateways) -> None:
    async with gateways.client() as client:
        frames, told = [], []
        async with await client.animate(b"face", pacing="realtime") as call:
            await call.speak(tone(10.0, 1000))
            async for item in call:
                if isinstance(item, Frame):
                    frames.append(item)
                    if item.index == 10:
                        await call.interrupt()
                    if loudness(item.data) == 2000 and len(told) == 1:
                        told.append("killed")
                        await gateways.first.kill()
                elif isinstance(item, Event) and item.kind is EventKind.INTERRUPTED:
                    told.append("interrupted")
                    await call.speak(tone(2.0, 2000))
                    await call.end()
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert told == ["interrupted", "killed"]
    spoken = [loudness(frame.data) for frame in frames]
    after = spoken.index(2000)
    assert set(spoken[after:]) <= {2000.0, 0.0}
    assert 50 <= spoken.count(2000) <= 51


async def test_a_registered_avatar_is_known_to_both(gateways: TwoGateways) -> None:
    async with gateways.client() as client:
        avatar = await client.register(b"face")
        call = await client.animate(avatar, SPEECH)
        frames = []
        async for item in call:
            if isinstance(item, Frame):
                frames.append(item.index)
                if item.index == 40:
                    await gateways.first.kill()
        assert frames == list(range(100))
        assert await client.avatar(avatar.avatar_id) == avatar


async def test_when_nobody_is_left_the_error_says_so(gateways: TwoGateways) -> None:
    patience = Patience(point_interval_ms=200, stall_seconds=1.0, give_up_seconds=0.5)
    async with gateways.client(patience) as client:

        async def lose_both() -> None:
            async for item in await client.animate(b"face", SPEECH):
                if isinstance(item, Frame) and item.index == 20:
                    await gateways.first.kill()
                    await gateways.second.kill()

        with pytest.raises(StageUnavailableError):
            await lose_both()


async def test_a_second_loss_is_survived_too(tmp_path: Path) -> None:
    async with two_gateways(tmp_path / "others") as others:
        others.cluster.stages["renderer"][0].faults.step_delay_s = 0.004
        target = f"{others.first.address},{others.second.address},{others.cluster.address}"
        async with AsyncClient(target, patience=PATIENCE) as client:
            frames, moves = [], 0
            async for item in await client.animate(b"face", SPEECH):
                if isinstance(item, Frame):
                    frames.append(loudness(item.data))
                    if len(frames) == 20:
                        await others.first.kill()
                    if len(frames) == 55:
                        await others.second.kill()
                elif isinstance(item, Event) and item.kind is EventKind.RESUMED:
                    moves += 1
    assert frames == [20.0 * i for i in range(1, 101)]
    assert moves == 2
